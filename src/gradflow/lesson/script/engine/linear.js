/**
 * The affine map of a layer and its gradients. Arrays are row-major: x[row * inputs + input],
 * weight[unit * inputs + input], z[row * units + unit].
 *
 * Four units, or four rows, go through an inner loop together: what is loaded once is used four times.
 */
lesson.linear = (() => {
  "use strict";

  /** z = x weightᵀ + bias */
  const forward = (weight, bias, x, z, rows, inputs, units) => {
    const together = units - (units % 4);
    for (let row = 0; row < rows; row++) {
      const from = row * inputs;
      const to = row * units;
      let unit = 0;
      for (; unit < together; unit += 4) {
        let a = unit * inputs;
        let b = a + inputs;
        let c = b + inputs;
        let d = c + inputs;
        let sumA = bias[unit];
        let sumB = bias[unit + 1];
        let sumC = bias[unit + 2];
        let sumD = bias[unit + 3];
        for (let i = 0; i < inputs; i++) {
          const value = x[from + i];
          sumA += weight[a++] * value;
          sumB += weight[b++] * value;
          sumC += weight[c++] * value;
          sumD += weight[d++] * value;
        }
        z[to + unit] = sumA;
        z[to + unit + 1] = sumB;
        z[to + unit + 2] = sumC;
        z[to + unit + 3] = sumD;
      }
      for (; unit < units; unit++) {
        const a = unit * inputs;
        let sum = bias[unit];
        for (let i = 0; i < inputs; i++) sum += weight[a + i] * x[from + i];
        z[to + unit] = sum;
      }
    }
  };

  /** dx = dz weight */
  const backwardInput = (weight, dz, dx, rows, inputs, units) => {
    const together = units - (units % 4);
    for (let row = 0; row < rows; row++) {
      const to = row * inputs;
      const from = row * units;
      for (let i = 0; i < inputs; i++) dx[to + i] = 0;
      let unit = 0;
      for (; unit < together; unit += 4) {
        let a = unit * inputs;
        let b = a + inputs;
        let c = b + inputs;
        let d = c + inputs;
        const dA = dz[from + unit];
        const dB = dz[from + unit + 1];
        const dC = dz[from + unit + 2];
        const dD = dz[from + unit + 3];
        for (let i = 0; i < inputs; i++) {
          dx[to + i] += dA * weight[a++] + dB * weight[b++] + dC * weight[c++] + dD * weight[d++];
        }
      }
      for (; unit < units; unit++) {
        const a = unit * inputs;
        const dA = dz[from + unit];
        for (let i = 0; i < inputs; i++) dx[to + i] += dA * weight[a + i];
      }
    }
  };

  /** dWeight = dzᵀ x, dBias = the sum of dz over the rows */
  const backwardWeight = (x, dz, dWeight, dBias, rows, inputs, units) => {
    const together = rows - (rows % 4);
    dWeight.fill(0);
    for (let unit = 0; unit < units; unit++) {
      const to = unit * inputs;
      let sum = 0;
      let row = 0;
      for (; row < together; row += 4) {
        const at = row * units + unit;
        const dA = dz[at];
        const dB = dz[at + units];
        const dC = dz[at + 2 * units];
        const dD = dz[at + 3 * units];
        sum += dA + dB + dC + dD;
        let a = row * inputs;
        let b = a + inputs;
        let c = b + inputs;
        let d = c + inputs;
        for (let i = 0; i < inputs; i++) {
          dWeight[to + i] += dA * x[a++] + dB * x[b++] + dC * x[c++] + dD * x[d++];
        }
      }
      for (; row < rows; row++) {
        const dA = dz[row * units + unit];
        const a = row * inputs;
        sum += dA;
        for (let i = 0; i < inputs; i++) dWeight[to + i] += dA * x[a + i];
      }
      dBias[unit] = sum;
    }
  };

  return { forward, backwardInput, backwardWeight };
})();
