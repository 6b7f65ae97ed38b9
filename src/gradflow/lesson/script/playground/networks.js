/** How the two networks look and are called in every picture: by their activation, told apart by dashes and marks too. */
lesson.networks = (() => {
  "use strict";
  const STYLES = [
    { dash: null, shape: "circle" },
    { dash: "7 4", shape: "square" },
  ];

  /** What tells two networks with the same activation apart: `, rate 0.1`, `, batch norm, He`. */
  function difference(network, other) {
    const words = {
      normalisation: ({ normalisation }) =>
        normalisation === "none" ? "" : lesson.menu.OWN.normalisation.choices[normalisation],
      residual: ({ residual }) => (residual ? "skips" : ""),
      rate: ({ rate }) => `rate ${rate}`,
      initialisation: ({ initialisation }) => `${lesson.menu.OWN.initialisation.choices[initialisation]} initialisation`,
      bias: ({ bias }) => `bias ${lesson.numbers.short(bias)}`,
      parameters: (one) =>
        Object.entries(lesson.activations[one.activation].complete(one.parameters)).map((pair) => pair.join(" ")),
    };
    const differing = Object.keys(words).filter((key) => JSON.stringify(network[key]) !== JSON.stringify(other[key]));
    return differing
      .flatMap((key) => words[key](network))
      .filter(Boolean)
      .map((text) => `, ${text}`)
      .join("");
  }

  /**
   * @param {object} settings - of a playground.
   * @returns {{letter: string, key: string, name: string, colour: string, dash: ?string, shape: string}[]} name: `A · ReLU`,
   *   `B · ReLU, rate 0.1` beside another ReLU.
   */
  return ({ networks }) =>
    networks.map((network, index) => {
      const letter = lesson.menu.LETTERS[index];
      const other = networks[1 - index];
      const apart = other?.activation === network.activation ? difference(network, other) : "";
      return {
        letter,
        key: letter.toLowerCase(),
        name: `${letter} · ${lesson.activations[network.activation].title}${apart}`,
        colour: lesson.data("facts").activations[network.activation].colour,
        ...STYLES[index],
      };
    });
})();
