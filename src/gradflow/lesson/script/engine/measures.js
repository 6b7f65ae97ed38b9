/**
 * What is measured of a network, by the package's definitions: gradient norms and root mean squares of each layer, the
 * gain per layer, low slopes and dead units.
 */
lesson.measures = (() => {
  "use strict";
  const LOW_SLOPE = 0.05; // of the function's largest
  const DEAD_SLOPE = 1e-6; // at or below it a unit's slope counts as zero

  /** Euclidean norm, scaled by the largest magnitude: the squares of tiny gradients would be 0. */
  const norm = (...tensors) => {
    let largest = 0;
    for (const tensor of tensors) for (const value of tensor) largest = Math.max(largest, Math.abs(value));
    if (!(largest > 0) || largest === Infinity) return largest;
    let sum = 0;
    for (const tensor of tensors) for (const value of tensor) sum += (value / largest) * (value / largest);
    return largest * Math.sqrt(sum);
  };

  /**
   * By what factor the gradient changes from one layer to the layer before it: 10 to minus the least-squares slope of
   * log10 rms on the layer's place. The first layer, which sees the data, and the head do not count.
   *
   * @returns {number|null} null with fewer than two layers, or where a gradient is zero
   */
  const gainPerLayer = (rms) => {
    const hidden = Array.from(rms.subarray(1, rms.length - 1));
    if (hidden.length < 2 || !hidden.every((value) => value > 0 && value < Infinity)) return null;
    const middle = (hidden.length - 1) / 2;
    let product = 0;
    let squares = 0;
    hidden.forEach((value, index) => {
      product += Math.log10(value) * (index - middle);
      squares += (index - middle) ** 2;
    });
    return 10 ** (-product / squares);
  };

  /** After a backward pass: gradientNorms and gradientRms, the head's last, and gainPerLayer. */
  const gradients = ({ layers }) => {
    const gradientNorms = new Float64Array(layers.length);
    const gradientRms = new Float64Array(layers.length);
    layers.forEach((layer, index) => {
      const { weight, bias } = layer.gradients;
      gradientNorms[index] = norm(weight, bias);
      gradientRms[index] = norm(weight) / Math.sqrt(weight.length);
    });
    return { gradientNorms, gradientRms, gainPerLayer: gainPerLayer(gradientRms) };
  };

  /**
   * After a forward pass, of each block: lowSlope, the share of entries whose |f'(z)| is under 5 % of the function's
   * largest; units, each unit's largest |f'(z)| over the rows as a part of the function's largest; dead, the share of
   * units where that is at most 1e-6.
   */
  const slopes = ({ activation, layers }, work) => {
    const hidden = layers.filter((layer) => layer.hidden);
    const lowSlope = new Float64Array(hidden.length);
    const dead = new Float64Array(hidden.length);
    const units = hidden.map((layer, index) => {
      const { slope } = work.blocks[index];
      const largest = lesson.largestSlope(activation, layer.p);
      const most = new Float64Array(layer.units);
      let low = 0;
      for (let row = 0, at = 0; row < work.rows; row++) {
        for (let unit = 0; unit < layer.units; unit++, at++) {
          const part = Math.abs(slope[at]) / largest;
          if (part < LOW_SLOPE) low++;
          if (part > most[unit]) most[unit] = part;
        }
      }
      lowSlope[index] = low / (work.rows * layer.units);
      dead[index] = most.filter((part) => part <= DEAD_SLOPE).length / layer.units;
      return most;
    });
    return { lowSlope, dead, units };
  };

  return { DEAD_SLOPE, LOW_SLOPE, gradients, slopes };
})();
