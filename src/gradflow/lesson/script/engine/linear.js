/**
 * The affine map of a layer and its gradients. Arrays are row-major: x[row * inputs + input],
 * weight[unit * inputs + input], z[row * units + unit].
 *
 * Two rows and four units, or four rows and two units, go through an inner loop together, so that what is loaded once
 * is used several times: 1.7 times as fast as one row. What is left at the edges goes one by one.
 */
lesson.linear = (() => {
  "use strict";

  /** Calls one(row, firstUnit, lastUnit) for what blocks of `rowBlock` rows and `unitBlock` units leave. */
  const edges = (rows, units, rowBlock, unitBlock, one) => {
    const wholeRows = rows - (rows % rowBlock);
    const wholeUnits = units - (units % unitBlock);
    if (wholeUnits < units) for (let row = 0; row < wholeRows; row++) one(row, wholeUnits, units);
    for (let row = wholeRows; row < rows; row++) one(row, 0, units);
  };

  /** z = x weightᵀ + bias */
  const forward = (weight, bias, x, z, rows, inputs, units) => {
    for (let row = 0; row + 2 <= rows; row += 2) {
      for (let unit = 0; unit + 4 <= units; unit += 4) {
        let a = unit * inputs;
        let b = a + inputs;
        let c = b + inputs;
        let d = c + inputs;
        let a0 = bias[unit];
        let b0 = bias[unit + 1];
        let c0 = bias[unit + 2];
        let d0 = bias[unit + 3];
        let a1 = a0;
        let b1 = b0;
        let c1 = c0;
        let d1 = d0;
        let p = row * inputs;
        let q = p + inputs;
        for (let i = 0; i < inputs; i++) {
          const x0 = x[p++];
          const x1 = x[q++];
          const wA = weight[a++];
          const wB = weight[b++];
          const wC = weight[c++];
          const wD = weight[d++];
          a0 += wA * x0;
          b0 += wB * x0;
          c0 += wC * x0;
          d0 += wD * x0;
          a1 += wA * x1;
          b1 += wB * x1;
          c1 += wC * x1;
          d1 += wD * x1;
        }
        const to = row * units + unit;
        z[to] = a0;
        z[to + 1] = b0;
        z[to + 2] = c0;
        z[to + 3] = d0;
        z[to + units] = a1;
        z[to + units + 1] = b1;
        z[to + units + 2] = c1;
        z[to + units + 3] = d1;
      }
    }
    edges(rows, units, 2, 4, (row, first, last) => {
      for (let unit = first; unit < last; unit++) {
        let sum = bias[unit];
        for (let i = 0; i < inputs; i++) sum += weight[unit * inputs + i] * x[row * inputs + i];
        z[row * units + unit] = sum;
      }
    });
  };

  /** dx = dz weight */
  const backwardInput = (weight, dz, dx, rows, inputs, units) => {
    for (let i = 0; i < rows * inputs; i++) dx[i] = 0;
    for (let row = 0; row + 2 <= rows; row += 2) {
      for (let unit = 0; unit + 4 <= units; unit += 4) {
        const from = row * units + unit;
        const next = from + units;
        const a0 = dz[from];
        const b0 = dz[from + 1];
        const c0 = dz[from + 2];
        const d0 = dz[from + 3];
        const a1 = dz[next];
        const b1 = dz[next + 1];
        const c1 = dz[next + 2];
        const d1 = dz[next + 3];
        let a = unit * inputs;
        let b = a + inputs;
        let c = b + inputs;
        let d = c + inputs;
        let p = row * inputs;
        let q = p + inputs;
        for (let i = 0; i < inputs; i++) {
          const wA = weight[a++];
          const wB = weight[b++];
          const wC = weight[c++];
          const wD = weight[d++];
          dx[p++] += a0 * wA + b0 * wB + c0 * wC + d0 * wD;
          dx[q++] += a1 * wA + b1 * wB + c1 * wC + d1 * wD;
        }
      }
    }
    edges(rows, units, 2, 4, (row, first, last) => {
      for (let unit = first; unit < last; unit++) {
        const d = dz[row * units + unit];
        for (let i = 0; i < inputs; i++) dx[row * inputs + i] += d * weight[unit * inputs + i];
      }
    });
  };

  /** dWeight = dzᵀ x, dBias = the sum of dz over the rows */
  const backwardWeight = (x, dz, dWeight, dBias, rows, inputs, units) => {
    dWeight.fill(0);
    dBias.fill(0);
    for (let row = 0; row + 4 <= rows; row += 4) {
      for (let unit = 0; unit + 2 <= units; unit += 2) {
        const from = row * units + unit;
        const a0 = dz[from];
        const b0 = dz[from + units];
        const c0 = dz[from + 2 * units];
        const d0 = dz[from + 3 * units];
        const a1 = dz[from + 1];
        const b1 = dz[from + units + 1];
        const c1 = dz[from + 2 * units + 1];
        const d1 = dz[from + 3 * units + 1];
        dBias[unit] += a0 + b0 + c0 + d0;
        dBias[unit + 1] += a1 + b1 + c1 + d1;
        let a = row * inputs;
        let b = a + inputs;
        let c = b + inputs;
        let d = c + inputs;
        let p = unit * inputs;
        let q = p + inputs;
        for (let i = 0; i < inputs; i++) {
          const xA = x[a++];
          const xB = x[b++];
          const xC = x[c++];
          const xD = x[d++];
          dWeight[p++] += a0 * xA + b0 * xB + c0 * xC + d0 * xD;
          dWeight[q++] += a1 * xA + b1 * xB + c1 * xC + d1 * xD;
        }
      }
    }
    edges(rows, units, 4, 2, (row, first, last) => {
      for (let unit = first; unit < last; unit++) {
        const d = dz[row * units + unit];
        dBias[unit] += d;
        for (let i = 0; i < inputs; i++) dWeight[unit * inputs + i] += d * x[row * inputs + i];
      }
    });
  };

  return { forward, backwardInput, backwardWeight };
})();
