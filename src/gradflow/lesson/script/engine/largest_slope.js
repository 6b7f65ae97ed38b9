/** lesson.largestSlope(name, p): the supremum of |f'(z)|, which makes slopes of different functions comparable. */
lesson.largestSlope = (() => {
  "use strict";
  const KNOWN = {
    identity: () => 1,
    sigmoid: () => 0.25,
    tanh: () => 1,
    relu: () => 1,
    leaky_relu: (p) => Math.max(1, Math.abs(p.negative_slope)),
    prelu: (p) => Math.max(1, Math.abs(p.init)),
    rrelu: (p) => Math.max(1, Math.abs(p.lower + p.upper) / 2),
    elu: (p) => Math.max(1, Math.abs(p.alpha)),
    celu: () => 1,
    selu: () => lesson.formulas.selu.slope(0),
    softplus: () => 1,
    softsign: () => 1,
    hardtanh: () => 1,
    relu6: () => 1,
    hard_swish: () => 1.5, // approached at 3 from below
  };

  /** The only bumps over 1, of GELU, SiLU and Mish, lie between 1 and 3; they are smooth, so a fine grid finds them. */
  const searched = (slope) => {
    let most = 0;
    for (let i = 0; i <= 200000; i++) most = Math.max(most, slope(1 + i * 1e-5));
    return most;
  };
  const found = {};

  return (name, given) => {
    if (KNOWN[name]) return KNOWN[name](lesson.activations[name].complete(given));
    return (found[name] ??= searched(lesson.formulas[name].slope));
  };
})();
