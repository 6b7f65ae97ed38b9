// How the page's scripts write numbers, as gradflow.lesson.numbers does for the sentences made in Python.
lesson.numbers = (() => {
  "use strict";
  const MINUS = "\u2212";
  const NO_BREAK = "\u00a0";
  const SUPERSCRIPTS = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

  /** `10⁻⁷`, for a whole exponent. */
  function power(base, exponent) {
    return base + [...String(exponent)].map((sign) => SUPERSCRIPTS[sign]).join("");
  }

  /** Up to `digits` significant digits: `0.25`, `−1.13`, `∞`; powers of ten where that would be long: `3.4 · 10⁻⁷`. */
  function short(value, digits = 3) {
    if (Number.isNaN(value)) return "undefined";
    if (!Number.isFinite(value)) return value > 0 ? "∞" : `${MINUS}∞`;
    if (value === 0) return "0";
    const size = Math.abs(value);
    if (size < 1e-4 || size >= 1e4) {
      const [mantissa, exponent] = value.toExponential(1).split("e");
      return `${mantissa}${NO_BREAK}·${NO_BREAK}${power("10", Number(exponent))}`.replace("-", MINUS);
    }
    const text = size < 10 ** digits ? String(Number(value.toPrecision(digits))) : value.toFixed(0);
    return text.replace("-", MINUS);
  }

  /** Always as many digits after the point, for numbers that change while they are read: `−0.50`. */
  function fixed(value, decimals = 2) {
    const text = value.toFixed(decimals);
    return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", MINUS);
  }

  /** `97 %`, of a fraction. */
  function percent(fraction, decimals = 0) {
    return `${fixed(100 * fraction, decimals)}${NO_BREAK}%`;
  }

  return { power, short, fixed, percent };
})();
