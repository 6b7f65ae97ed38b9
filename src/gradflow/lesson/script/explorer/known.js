/**
 * What is known about an activation with the parameters that it has now, as gradflow.activations.facts says it.
 *
 * lesson.known(name, parameters, usual) -> { lower, upper, largestSlope, zeroCentred, flat: [[low, high], …] }, infinite
 * where there is no end. `usual` is the entry of the page's facts, whose range holds where no parameter changes it.
 */
lesson.known = (() => {
  "use strict";
  const { LOW_SLOPE } = lesson.measures;
  const CENTRED_MEAN = 0.05; // of the root mean square
  const REACH = 50; // where slopes are examined; a range that gets there is taken to have no end
  const SPACING = 0.01; // narrower flat ranges are missed
  const NORMAL_REACH = 12; // beyond, the density is under 1e-31

  const leaky = (slope) => [slope > 0 ? -Infinity : 0, Infinity];
  const RANGES = {
    leaky_relu: (p) => leaky(p.negative_slope),
    prelu: (p) => leaky(p.init),
    rrelu: (p) => leaky((p.lower + p.upper) / 2),
    elu: (p) => [-p.alpha, Infinity],
    celu: (p) => [-p.alpha, Infinity],
    hardtanh: (p) => [p.min_val, p.max_val],
  };

  function bisect(isFlat, low, high) {
    const atLow = isFlat(low);
    let ends = [low, high];
    while (ends[1] - ends[0] > 1e-9) {
      const middle = (ends[0] + ends[1]) / 2;
      ends = isFlat(middle) === atLow ? [middle, ends[1]] : [ends[0], middle];
    }
    return (ends[0] + ends[1]) / 2;
  }

  function flatRanges(slope, largest) {
    const isFlat = (z) => Math.abs(slope(z)) < LOW_SLOPE * largest;
    const steps = Math.round((2 * REACH) / SPACING);
    const ends = isFlat(-REACH) ? [-Infinity] : [];
    let [z, flat] = [-REACH, isFlat(-REACH)];
    for (let i = 1; i <= steps; i++) {
      const next = -REACH + i * SPACING;
      const isNext = isFlat(next);
      if (isNext !== flat) ends.push(bisect(isFlat, z, next));
      [z, flat] = [next, isNext];
    }
    if (flat) ends.push(Infinity);
    return ends.filter((_, i) => i % 2 === 0).map((low, i) => [low, ends[2 * i + 1]]);
  }

  /** Whether the mean output of a standard normal z is small beside its root mean square; trapezoidal sums. */
  function isCentred(value) {
    let [mean, square] = [0, 0];
    for (let z = -NORMAL_REACH; z <= NORMAL_REACH; z += SPACING) {
      const weight = Math.exp((-z * z) / 2);
      const f = value(z);
      mean += weight * f;
      square += weight * f * f;
    }
    const total = Math.sqrt(2 * Math.PI) / SPACING; // of the weights
    return Math.abs(mean / total) <= CENTRED_MEAN * Math.sqrt(square / total);
  }

  return (name, given, usual) => {
    const p = lesson.activations[name].complete(given);
    const { value, slope } = lesson.formulas[name];
    const largestSlope = lesson.largestSlope(name, p);
    const [lower, upper] = RANGES[name]?.(p) ?? [usual.lower ?? -Infinity, usual.upper ?? Infinity];
    return {
      lower,
      upper,
      largestSlope,
      zeroCentred: isCentred((z) => value(z, p)),
      flat: flatRanges((z) => slope(z, p), largestSlope),
    };
  };
})();
