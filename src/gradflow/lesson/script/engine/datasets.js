/**
 * Points of two classes in the plane.
 *
 * lesson.datasets.make({ data, noise, points, seed, stream }) -> { x: Float64Array(2·points), y: Uint8Array(points) },
 * classes in turn. Without noise all points lie in [-1, 1]²; noise is the standard deviation of what is added to each
 * coordinate. lesson.datasets.reach: pictures show [-reach, reach]².
 */
lesson.datasets = (() => {
  "use strict";
  const reach = 1.5;
  const OUTER = 0.9; // radius of the outer circle, twice that of the inner one
  const GAP = 0.08; // between the quarters of xor, on either side of the axes
  const TURNS = 1.25; // of each arm of the spiral
  const START = 0.12; // radius at which an arm begins

  /** Each shape: (class, random) -> a point without noise. */
  const shapes = {
    circles(label, random) {
      const angle = 2 * Math.PI * random.uniform();
      const radius = label ? OUTER / 2 : OUTER;
      return [radius * Math.cos(angle), radius * Math.sin(angle)];
    },
    moons(label, random) {
      const angle = Math.PI * random.uniform();
      const side = label ? -1 : 1; // the second moon is the first one turned by half a turn
      return [(side * (Math.cos(angle) - 0.5)) / 1.5, (side * (Math.sin(angle) - 0.25)) / 1.5];
    },
    xor(label, random) {
      const far = () => GAP + (1 - GAP) * random.uniform();
      const side = random.uniform() < 0.5 ? -1 : 1;
      return [side * far(), (label ? side : -side) * far()];
    },
    spiral(label, random) {
      const along = Math.sqrt(random.uniform()); // evenly along the arm, whose length grows with its radius
      const radius = START + (1 - START) * along;
      const angle = 2 * Math.PI * TURNS * along + (label ? Math.PI : 0);
      return [radius * Math.sin(angle), radius * Math.cos(angle)];
    },
  };

  /**
   * @param {{ data: string, noise: number, points: number, seed: number, stream?: string }} what the stream separates
   *   points to train on from points to test on
   */
  const make = ({ data, noise, points, seed, stream = "data" }) => {
    const random = lesson.random(seed, stream);
    const x = new Float64Array(2 * points);
    const y = new Uint8Array(points);
    for (let i = 0; i < points; i++) {
      y[i] = i % 2;
      const place = shapes[data](y[i], random);
      for (let axis = 0; axis < 2; axis++) x[2 * i + axis] = place[axis] + noise * random.normal();
    }
    return { x, y };
  };

  return { make, reach, names: Object.keys(shapes) };
})();
