/** Updates as torch.optim.SGD (without momentum) and torch.optim.Adam make them; each returns a function step(). */
lesson.optimizers = (() => {
  "use strict";

  const sgd = (parameters, gradients, rate) => () => {
    for (let i = 0; i < parameters.length; i++) parameters[i] -= rate * gradients[i];
  };

  // Moments of a gradient that has become zero shrink until they are subnormal, and stay so; many processors compute
  // with such numbers slowly. What is cut off here would move a parameter by less than 1e-280.
  const NOTHING = 1e-290;
  const FIRST = 0.9;
  const SECOND = 0.999;
  const EPSILON = 1e-8;

  /** Kingma & Ba 2015, arXiv:1412.6980. */
  const adam = (parameters, gradients, rate) => {
    const mean = new Float64Array(parameters.length);
    const square = new Float64Array(parameters.length);
    let steps = 0;
    return () => {
      steps++;
      const size = rate / (1 - FIRST ** steps);
      const root = Math.sqrt(1 - SECOND ** steps);
      for (let i = 0; i < parameters.length; i++) {
        const gradient = gradients[i];
        let m = mean[i] + (1 - FIRST) * (gradient - mean[i]);
        let v = SECOND * square[i] + (1 - SECOND) * gradient * gradient;
        if (m < NOTHING && m > -NOTHING) m = 0;
        if (v < NOTHING) v = 0;
        mean[i] = m;
        square[i] = v;
        parameters[i] -= (size * m) / (Math.sqrt(v) / root + EPSILON);
      }
    };
  };

  return { sgd, adam };
})();
