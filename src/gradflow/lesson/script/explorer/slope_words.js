/** Slopes and ranges in words: what ten layers at a slope leave of a kilometre, where a function is flat. */
lesson.slopeWords = (() => {
  "use strict";
  const { short, fixed } = lesson.numbers;
  const SPACE = "\u00a0";
  const LAYERS = 10;
  const KILOMETRE = 1000; // metres
  const [HAIR, VIRUS, ATOM] = [5e-5, 1e-7, 1e-10]; // metres
  const EARTH = 40075; // kilometres around it
  const LENGTHS = [["km", 1000], ["m", 1], ["cm", 0.01], ["mm", 0.001]]; // metres

  /** Two significant digits, without powers of ten: `0.086`, `350`, `59,000`. */
  const rounded = (value) => value.toLocaleString("en", { maximumSignificantDigits: 2 });

  /**
   * What is left of a kilometre that passes ten layers, each of which multiplies it by this slope.
   *
   * The slope's part alone: weights and normalisation multiply a gradient too.
   */
  function left(slope) {
    const metres = KILOMETRE * Math.abs(slope) ** LAYERS;
    if (metres === 0) return "nothing";
    if (Math.abs(metres - KILOMETRE) < 5) return "the whole kilometre";
    if (metres > KILOMETRE * EARTH) return "more than once around the Earth";
    for (const [unit, size] of LENGTHS) if (metres >= size) return `${rounded(metres / size)}${SPACE}${unit}`;
    if (metres >= HAIR) return `${rounded(1000 * metres)}${SPACE}mm`;
    if (metres >= VIRUS) return "less than the width of a hair";
    if (metres >= ATOM) return "less than the width of a virus";
    return "less than an atom";
  }

  /** What a small step of z does to the output. */
  function effect(slope) {
    if (slope === 0) return "Move z a little, and the output stays where it is.";
    if (slope === 1) return "Move z a little, and the output moves just as far.";
    const size = Math.abs(slope);
    const far = fixed(size) === "0.00" ? "hardly at all" : `${fixed(size)} times as far`;
    return `Move z a little, and the output moves ${far}${slope < 0 ? ", the other way" : ""}.`;
  }

  const nearly = (end) => short(Math.abs(end) < 1e-6 ? 0 : end);

  /** `z < 0, z > 6`, `|z| > 4.36` or `nowhere`. */
  function flat(ranges) {
    const [left, right] = ranges;
    if (right?.[1] === Infinity && Math.abs(left[1] + right[0]) < 1e-6) return `|z| > ${short(right[0])}`;
    const words = ranges.map(([low, high]) => {
      if (low === -Infinity) return high === Infinity ? "everywhere" : `z < ${nearly(high)}`;
      return high === Infinity ? `z > ${nearly(low)}` : `${nearly(low)} to ${nearly(high)}`;
    });
    return words.join(", ") || "nowhere";
  }

  return { left, effect, flat, LAYERS };
})();
