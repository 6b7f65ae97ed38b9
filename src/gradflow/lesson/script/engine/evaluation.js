/**
 * lesson.evaluation(network, data, test) -> a function that measures the network as it is: loss, accuracy, gradients
 * and slopes over all points to train on, loss and accuracy on the points to test on, and the region's probabilities.
 *
 * Batch normalisation uses the statistics of all points to train on at the current weights, everywhere.
 */
lesson.evaluation = (() => {
  "use strict";
  const CELLS = 50; // of the region, along each side
  const ROWS = 250; // evaluated at a time: what a block needs for them stays in the processor's cache

  /** The region's cell centres, row 0 at the bottom: centres[2 * cell + axis]. */
  const centres = () => {
    const places = new Float64Array(2 * CELLS * CELLS);
    const place = (index) => lesson.datasets.reach * ((2 * index + 1) / CELLS - 1);
    for (let cell = 0; cell < CELLS * CELLS; cell++) {
      places[2 * cell] = place(cell % CELLS);
      places[2 * cell + 1] = place(Math.floor(cell / CELLS));
    }
    return places;
  };

  return (network, data, test) => {
    const whole = lesson.network.workspace(network, data.y.length);
    const part = lesson.network.workspace(network, ROWS);
    const region = centres();
    const all = Uint32Array.from({ length: Math.max(data.y.length, test.y.length) }, (_, i) => i);
    whole.x.set(data.x);

    /** A forward pass over any points, with visit(from, rows) after each part. */
    const inParts = (x, count, visit) => {
      for (let from = 0; from < count; from += ROWS) {
        const rows = Math.min(ROWS, count - from);
        part.x.set(x.subarray(2 * from, 2 * (from + rows)));
        lesson.network.forward(network, part, rows, { statistics: whole, backward: false });
        visit(from, rows);
      }
    };

    const onTest = () => {
      const count = test.y.length;
      let testLoss = 0;
      let testAccuracy = 0;
      inParts(test.x, count, (from, rows) => {
        const points = all.subarray(from, from + rows);
        const { loss, accuracy } = lesson.loss.crossEntropy(part.logits, test.y, points, rows, null);
        testLoss += (loss * rows) / count;
        testAccuracy += (accuracy * rows) / count;
      });
      return { testLoss, testAccuracy };
    };

    const onRegion = () => {
      const probabilities = new Float32Array(CELLS * CELLS);
      inParts(region, CELLS * CELLS, (from, rows) => {
        for (let row = 0; row < rows; row++) probabilities[from + row] = lesson.loss.probability(part.logits, row);
      });
      return { region: probabilities, cells: CELLS };
    };

    return () => {
      const count = data.y.length;
      lesson.network.forward(network, whole, count);
      const { loss, accuracy } = lesson.loss.crossEntropy(whole.logits, data.y, all, count, whole.dLogits);
      lesson.network.backward(network, whole);
      const gradients = lesson.measures.gradients(network);
      return { loss, accuracy, ...gradients, ...lesson.measures.slopes(network, whole), ...onTest(), ...onRegion() };
    };
  };
})();
