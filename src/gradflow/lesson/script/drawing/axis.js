// From numbers to pixels, and which numbers stand beside an axis.
lesson.axis = (() => {
  "use strict";

  /**
   * A scale.
   *
   * @param {{domain: [number, number], log?: boolean, ticks?: number[]}} axis - on a log axis both ends are above 0.
   * @param {number} start - pixel of the domain's first end.
   * @param {number} end - pixel of its second end.
   * @returns {{at: function(number): number, back: function(number): number}} at: number -> pixel, NaN where a log
   *   axis has no place for it; back: pixel -> number within the domain.
   */
  function scale({ domain, log }, start, end) {
    const [low, high] = log ? domain.map(Math.log10) : domain;
    const inner = (value) => (log ? (value > 0 ? Math.log10(value) : NaN) : value);
    return {
      at: (value) => start + ((inner(value) - low) / (high - low)) * (end - start),
      back: (pixel) => {
        const share = Math.min(1, Math.max(0, (pixel - start) / (end - start)));
        const value = low + share * (high - low);
        return log ? 10 ** value : value;
      },
    };
  }

  /** At most about `most` round numbers within the domain; on a log axis powers of ten. */
  function ticks({ domain, log, ticks: chosen }, most) {
    if (chosen) return chosen;
    const [low, high] = domain;
    if (log) {
      const first = Math.ceil(Math.log10(low) - 1e-9);
      const last = Math.floor(Math.log10(high) + 1e-9);
      const step = Math.max(1, Math.ceil((last - first + 1) / most));
      const exponents = [];
      for (let e = last; e >= first; e -= step) exponents.unshift(e);
      return exponents.map((e) => Number(`1e${e}`));
    }
    const rough = (high - low) / Math.max(1, most);
    const magnitude = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((m) => m * magnitude).find((size) => size >= rough * (1 - 1e-9));
    const found = [];
    for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k += 1) {
      found.push(Number((k * step).toPrecision(12)) + 0); // + 0: no negative zero
    }
    return found;
  }

  /** The text at a tick: `−0.5`, `0.001`, `10⁻⁷`. */
  function label(value, { log }) {
    const size = Math.abs(value);
    if (log && (size < 1e-3 || size > 1e4)) return lesson.numbers.power("10", Math.round(Math.log10(value)));
    return size > 9999 ? lesson.numbers.short(value) : String(value).replace("-", "\u2212");
  }

  return { scale, ticks, label };
})();
