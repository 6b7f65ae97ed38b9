/**
 * Random numbers that a seed fixes, in separate streams, so that more draws of one kind change no other.
 *
 * lesson.random(seed, stream) -> { uniform(), normal(), integer(n), permutation(n) }
 *
 * Source: xoshiro128** 1.1, Blackman & Vigna 2021, arXiv:1805.01407; its state is filled by the 32-bit finaliser of
 * MurmurHash3 over a counter (Appleby), as the authors advise for seeding.
 */
lesson.random = (() => {
  "use strict";
  const rotated = (x, by) => (x << by) | (x >>> (32 - by));

  const mixed = (x) => {
    let h = x;
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    return h ^ (h >>> 16);
  };

  /** FNV-1a over the text "seed/stream". */
  const hashed = (text) => {
    let h = 0x811c9dc5;
    for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
    return h;
  };

  /**
   * @param {number} seed a whole number
   * @param {string} stream what the numbers are for
   */
  return (seed, stream = "") => {
    const start = hashed(`${seed}/${stream}`);
    const state = new Int32Array(4);
    for (let i = 0; i < 4; i++) state[i] = mixed(start + Math.imul(i + 1, 0x9e3779b9));
    let spare = null; // the second of a pair of normal numbers

    /** 32 random bits, from 0 to 2³² - 1. */
    const bits = () => {
      const result = Math.imul(rotated(Math.imul(state[1], 5), 7), 9) >>> 0;
      const t = state[1] << 9;
      state[2] ^= state[0];
      state[3] ^= state[1];
      state[1] ^= state[2];
      state[0] ^= state[3];
      state[2] ^= t;
      state[3] = rotated(state[3], 11);
      return result;
    };

    /** In [0, 1), with 53 random bits. */
    const uniform = () => ((bits() >>> 5) * 67108864 + (bits() >>> 6)) / 9007199254740992;

    /** Standard normal, by Marsaglia's polar method. */
    const normal = () => {
      if (spare !== null) {
        const kept = spare;
        spare = null;
        return kept;
      }
      for (;;) {
        const u = 2 * uniform() - 1;
        const v = 2 * uniform() - 1;
        const square = u * u + v * v;
        if (square > 0 && square < 1) {
          const factor = Math.sqrt((-2 * Math.log(square)) / square);
          spare = v * factor;
          return u * factor;
        }
      }
    };

    /** A whole number from 0 to n - 1. */
    const integer = (n) => Math.floor(uniform() * n);

    /** The numbers from 0 to n - 1 in random order (Fisher & Yates). */
    const permutation = (n) => {
      const order = Uint32Array.from({ length: n }, (_, i) => i);
      for (let i = n - 1; i > 0; i--) {
        const j = integer(i + 1);
        [order[i], order[j]] = [order[j], order[i]];
      }
      return order;
    };
    return { uniform, normal, integer, permutation };
  };
})();
