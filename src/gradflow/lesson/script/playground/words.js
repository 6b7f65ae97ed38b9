/** Small and large numbers as a picture in words. */
lesson.words = (() => {
  "use strict";
  const { numbers } = lesson;
  const GROWN = 1.5; // from this ratio on, a message has grown
  const METRES = [
    [1, "m"],
    [1e-2, "cm"],
    [1e-3, "mm"],
    [1e-6, "µm"],
    [1e-9, "nm"],
  ];
  const SCALES = [
    [1e12, "trillion"],
    [1e9, "billion"],
    [1e6, "million"],
  ];
  const THINGS = [
    // what is about as long, from long to short; lengths in metres up to which each is named
    [1e-9, "the size of a molecule"],
    [3e-7, "smaller than a bacterium"],
    [1e-5, "the size of a bacterium"],
    [2e-4, "a hair's breadth"],
    [2e-3, "a grain of sand"],
    [6e-3, "a grain of rice"],
    [1.2e-2, "a pea"],
    [3e-2, "a coin"],
    [0.15, "a hand's breadth"],
  ];

  /** `1/3`, `1/3.1 million`, `all`, `nothing`, `12 times`: a ratio as part of a whole, in two digits. */
  function share(ratio) {
    if (!(ratio > 0)) return "nothing";
    if (ratio >= GROWN) return times(ratio);
    return ratio > 0.67 ? "all" : `1/${grouped(1 / ratio)}`;
  }

  /** What a layer hears of a message: `1/3.1 million of it`, `it 12 times as loud`. */
  const heard = (ratio) => (ratio >= GROWN ? `it ${times(ratio)} as loud` : `${share(ratio)} of it`);

  const times = (ratio) => `${grouped(ratio)}\u00a0times`;

  /** Two digits: `12`, `1,200`, `3.1 million`; from a thousand trillion on, the nearest power of ten. */
  function grouped(number) {
    const rounded = Number(number.toPrecision(2));
    if (rounded >= 1e15) return numbers.power("10", Math.round(Math.log10(number)));
    const [size, name] = SCALES.find(([least]) => rounded >= least) ?? [1, ""];
    const digits = String(Number((rounded / size).toPrecision(2))).replace(/\B(?=(\d{3})+$)/g, ",");
    return name ? `${digits}\u00a0${name}` : digits;
  }

  /** `a kilometre shrunk to 7 mm, a pea`. */
  function analogy(ratio) {
    if (!(ratio > 0)) return "silence";
    if (ratio > 0.67) return "as loud as at the output";
    const metres = 1000 * ratio;
    const thing = THINGS.find(([most]) => metres <= most)?.[1];
    const [size, unit] = METRES.find(([least]) => metres >= 0.995 * least) ?? METRES.at(-1);
    const length = metres < 1e-10 ? "less than an atom" : `${Number((metres / size).toPrecision(2))}\u00a0${unit}`;
    return `a kilometre shrunk to ${length}${thing && metres >= 1e-10 ? `, ${thing}` : ""}`;
  }

  return { GROWN, analogy, heard, share, times };
})();
