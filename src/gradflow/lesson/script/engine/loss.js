/** Softmax cross-entropy of two logits, in nats, from their difference alone: nothing overflows. */
lesson.loss = (() => {
  "use strict";

  /**
   * @param {Float64Array} logits logits[2 * row + class]
   * @param {Uint8Array} labels by the index of a point
   * @param {Uint32Array} points the index of each row's point
   * @param {Float64Array} gradient of the mean loss by the logits, or null
   * @returns {{ loss: number, accuracy: number }} means over the rows
   */
  const crossEntropy = (logits, labels, points, rows, gradient) => {
    let sum = 0;
    let right = 0;
    for (let row = 0; row < rows; row++) {
      const label = labels[points[row]];
      const behind = logits[2 * row + 1 - label] - logits[2 * row + label];
      sum += (behind <= 0 ? 0 : behind) + Math.log1p(Math.exp(-Math.abs(behind)));
      // As argmax: of two equal logits the first.
      if (behind < 0 || (behind === 0 && label === 0)) right++;
      if (gradient) {
        const d = lesson.formulas.sigmoid.value(behind) / rows;
        gradient[2 * row + label] = -d;
        gradient[2 * row + 1 - label] = d;
      }
    }
    return { loss: sum / rows, accuracy: right / rows };
  };

  /** The probability of class 1. */
  const probability = (logits, row) => lesson.formulas.sigmoid.value(logits[2 * row + 1] - logits[2 * row]);

  return { crossEntropy, probability };
})();
