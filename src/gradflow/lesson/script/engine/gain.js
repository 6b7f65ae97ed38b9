/** What initialisation and measurement need to know of an activation function: gain and largest slope. */
lesson.gain = (() => {
  "use strict";
  // torch.nn.init.calculate_gain
  const LISTED = {
    identity: () => 1,
    sigmoid: () => 1,
    tanh: () => 5 / 3,
    relu: () => Math.SQRT2,
    leaky_relu: (p) => Math.sqrt(2 / (1 + p.negative_slope * p.negative_slope)),
    selu: () => 3 / 4,
  };
  const REACH = 12;
  const POINTS = 8193;

  /** E[f(z)²] for standard normal z, by the trapezoidal rule; the integrand is 0 at both ends. */
  const secondMoment = (value, p) => {
    const step = (2 * REACH) / (POINTS - 1);
    let sum = 0;
    for (let i = 0; i < POINTS; i++) {
      const z = -REACH + i * step;
      const f = value(z, p);
      sum += f * f * Math.exp((-z * z) / 2);
    }
    return (sum * step) / Math.sqrt(2 * Math.PI);
  };

  /**
   * The factor by which initial weights are scaled: torch's where torch lists the function, otherwise
   * 1 / sqrt(E[f(z)²]) for standard normal z (He et al. 2015, arXiv:1502.01852, section 2.2, with f in ReLU's place).
   * PReLU counts with its initial slope, RReLU with its mean slope. 1 where that moment is 0 or not finite.
   */
  return (name, given) => {
    const p = lesson.activations[name].complete(given);
    if (LISTED[name]) return LISTED[name](p);
    const moment = secondMoment(lesson.formulas[name].value, p);
    return moment > 0 && moment < Infinity ? 1 / Math.sqrt(moment) : 1;
  };
})();

