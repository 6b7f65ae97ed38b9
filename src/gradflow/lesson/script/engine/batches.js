/**
 * lesson.batches({ points, batch, seed }) -> a function that returns the indices of the next batch's points: a fresh
 * order every epoch, the last batch shorter; one point alone, left at the end, is skipped, since batch normalisation
 * would make it 0. With a batch of all points, every step has them all.
 */
lesson.batches = (() => {
  "use strict";
  return ({ points, batch, seed }) => {
    const random = lesson.random(seed, "order");
    let order = Uint32Array.from({ length: points }, (_, i) => i);
    let from = points;
    return () => {
      if (batch >= points) return order;
      if (points - from < 2) {
        order = random.permutation(points);
        from = 0;
      }
      const rows = order.subarray(from, from + batch);
      from += batch;
      return rows;
    };
  };
})();
