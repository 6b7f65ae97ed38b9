/**
 * Batch and layer normalisation with learned scale and shift, as torch.nn.BatchNorm1d in training and torch.nn.LayerNorm:
 * biased variance, epsilon 1e-5. Both normalise groups of entries of z[row * units + unit]: batch normalisation each
 * unit's rows (Ioffe & Szegedy 2015, arXiv:1502.03167), layer normalisation each row's units (Ba et al. 2016,
 * arXiv:1607.06450).
 */
lesson.normalisation = (() => {
  "use strict";
  const EPSILON = 1e-5;

  /** How the groups lie in the array: how many, how long, from one group to the next, from one entry to the next. */
  const groups = (kind, rows, units) =>
    kind === "batch" ? [units, rows, 1, units] : [rows, units, units, 1];

  /** How many groups there can be at most. */
  const groupCount = (kind, rows, units) => (kind === "none" ? 0 : kind === "batch" ? units : rows);

  /** Mean and 1 / sqrt(variance + epsilon) of each group. */
  const measure = (kind, z, mean, inverse, rows, units) => {
    const [count, length, nextGroup, nextEntry] = groups(kind, rows, units);
    for (let group = 0; group < count; group++) {
      const first = group * nextGroup;
      let sum = 0;
      for (let k = 0, at = first; k < length; k++, at += nextEntry) sum += z[at];
      const centre = sum / length;
      let squares = 0;
      for (let k = 0, at = first; k < length; k++, at += nextEntry) squares += (z[at] - centre) * (z[at] - centre);
      mean[group] = centre;
      inverse[group] = 1 / Math.sqrt(squares / length + EPSILON);
    }
  };

  /** normal = (z - mean) · inverse, output = normal · scale + shift */
  const apply = (kind, z, { mean, inverse }, normal, output, scale, shift, rows, units) => {
    const byUnit = kind === "batch";
    for (let row = 0, at = 0; row < rows; row++) {
      for (let unit = 0; unit < units; unit++, at++) {
        const group = byUnit ? unit : row;
        const value = (z[at] - mean[group]) * inverse[group];
        normal[at] = value;
        output[at] = value * scale[unit] + shift[unit];
      }
    }
  };

  /** The gradients of scale and shift. */
  const backwardParameters = (normal, dOutput, dScale, dShift, rows, units) => {
    dScale.fill(0);
    dShift.fill(0);
    for (let row = 0, at = 0; row < rows; row++) {
      for (let unit = 0; unit < units; unit++, at++) {
        dScale[unit] += dOutput[at] * normal[at];
        dShift[unit] += dOutput[at];
      }
    }
  };

  /** From the gradient of the output to that of z, in place, through the statistics of the groups. */
  const backward = (kind, normal, inverse, scale, gradient, rows, units) => {
    const [count, length, nextGroup, nextEntry] = groups(kind, rows, units);
    const byUnit = kind === "batch";
    for (let group = 0; group < count; group++) {
      const first = group * nextGroup;
      let sum = 0;
      let product = 0;
      for (let k = 0, at = first; k < length; k++, at += nextEntry) {
        const d = gradient[at] * scale[byUnit ? group : k];
        gradient[at] = d;
        sum += d;
        product += d * normal[at];
      }
      for (let k = 0, at = first; k < length; k++, at += nextEntry) {
        gradient[at] = inverse[group] * (gradient[at] - sum / length - (normal[at] * product) / length);
      }
    }
  };

  return { groupCount, measure, apply, backwardParameters, backward };
})();
