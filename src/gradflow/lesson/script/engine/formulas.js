/**
 * Value and slope of every activation function in closed form, stable for any z.
 *
 * An entry has value(z, p) and slope(z, p), where p holds every parameter by torch's name; the random one takes the
 * slope drawn for this z as a third argument. Slopes at kinks are torch's. What is not a number stays so, that a
 * diverged network is seen.
 */
lesson.formulas = (() => {
  "use strict";
  const SELU_ALPHA = 1.6732632423543772; // Klambauer et al. 2017, arXiv:1706.02515, equation 14
  const SELU_SCALE = 1.0507009873554805;
  const ROOT_TWO = Math.SQRT2;
  const ROOT_TWO_PI = Math.sqrt(2 * Math.PI);
  const SETTLED = 1e3; // here products such as z·sigmoid(-z) have reached their limits, and infinity·0 would be NaN

  const sigmoid = (z) => {
    if (z >= 0) return 1 / (1 + Math.exp(-z));
    const e = Math.exp(z);
    return e / (1 + e);
  };
  /** sigmoid(z) sigmoid(-z) from one exponential. */
  const sigmoidSlope = (z) => {
    const e = Math.exp(-Math.abs(z));
    return e / ((1 + e) * (1 + e));
  };
  const bounded = (z) => Math.max(-SETTLED, Math.min(SETTLED, z));
  const rectified = (z, below) => (z > 0 ? 1 : below);
  const leaky = (z, slope) => (z <= 0 ? slope * z : z);
  const clipped = (z, least, most) => (z < least ? least : z > most ? most : z);
  const inside = (z, least, most) => (z > least && z < most ? 1 : 0);
  const meanSlope = (p) => (p.lower + p.upper) / 2;

  const gelu = {
    value: (z) => (z * lesson.erf.erfc(-z / ROOT_TWO)) / 2,
    slope: (given) => {
      const z = bounded(given);
      return lesson.erf.erfc(-z / ROOT_TWO) / 2 + (z * Math.exp((-z * z) / 2)) / ROOT_TWO_PI;
    },
  };

  /** tanh(softplus(z)) = n / (n + 2) with n = e^z (e^z + 2); from z = 30 on it is 1 to double precision. */
  const mish = {
    value: (z) => {
      if (z > 30) return z;
      const e = Math.exp(z);
      const n = e * (e + 2);
      return (z * n) / (n + 2);
    },
    slope: (given) => {
      const z = bounded(given);
      if (z > 30) return 1;
      const e = Math.exp(z);
      const n = e * (e + 2);
      return n / (n + 2) + (4 * z * e * (e + 1)) / ((n + 2) * (n + 2)); // sech² of softplus times its slope
    },
  };

  const softplus = {
    value: (z, p) => {
      const scaled = p.beta * z;
      if (scaled > p.threshold) return z;
      return ((scaled <= 0 ? 0 : scaled) + Math.log1p(Math.exp(-Math.abs(scaled)))) / p.beta;
    },
    slope: (z, p) => (p.beta * z > p.threshold ? 1 : sigmoid(p.beta * z)),
  };

  return {
    identity: { value: (z) => z, slope: () => 1 },
    relu: { value: (z) => (z <= 0 ? 0 : z), slope: (z) => rectified(z, 0) },
    leaky_relu: {
      value: (z, p) => leaky(z, p.negative_slope),
      slope: (z, p) => rectified(z, p.negative_slope),
    },
    prelu: { value: (z, p) => leaky(z, p.init), slope: (z, p) => rectified(z, p.init) },
    rrelu: {
      value: (z, p, draw = meanSlope(p)) => leaky(z, draw),
      slope: (z, p, draw = meanSlope(p)) => rectified(z, draw),
    },
    elu: {
      value: (z, p) => (z <= 0 ? p.alpha * Math.expm1(z) : z),
      slope: (z, p) => rectified(z, p.alpha * Math.exp(z)),
    },
    celu: {
      value: (z, p) => (z <= 0 ? p.alpha * Math.expm1(z / p.alpha) : z),
      slope: (z, p) => rectified(z, Math.exp(z / p.alpha)),
    },
    selu: {
      value: (z) => SELU_SCALE * (z <= 0 ? SELU_ALPHA * Math.expm1(z) : z),
      slope: (z) => SELU_SCALE * rectified(z, SELU_ALPHA * Math.exp(z)),
    },
    gelu,
    silu: {
      value: (z) => z * sigmoid(z),
      slope: (given) => {
        const z = bounded(given);
        return sigmoid(z) * (1 + z * sigmoid(-z));
      },
    },
    mish,
    softplus,
    sigmoid: { value: sigmoid, slope: sigmoidSlope },
    tanh: { value: Math.tanh, slope: (z) => 4 * sigmoidSlope(2 * z) },
    softsign: { value: (z) => z / (1 + Math.abs(z)), slope: (z) => 1 / ((1 + Math.abs(z)) * (1 + Math.abs(z))) },
    hardtanh: {
      value: (z, p) => clipped(z, p.min_val, p.max_val),
      slope: (z, p) => inside(z, p.min_val, p.max_val),
    },
    relu6: { value: (z) => clipped(z, 0, 6), slope: (z) => inside(z, 0, 6) },
    hard_swish: {
      value: (z) => (z <= -3 ? 0 : z >= 3 ? z : (z * (z + 3)) / 6),
      slope: (z) => (Math.abs(z) < 3 ? z / 3 + 0.5 : z > 0 ? 1 : 0),
    },
  };
})();
