/** The share of low slopes in each layer, as a pair of bars: how much of it passes next to nothing on. */
lesson.slopeBars = (() => {
  "use strict";
  const APART = 0.2; // of a layer's width, between the middles of the two bars

  /**
   * @param {HTMLElement} parent
   * @returns {{draw: function(object[], object[], function(number): number)}} draw(networks, their looks, layer -> pixel).
   */
  return (parent) => {
    const plot = lesson.plot(parent, {
      title: "Share of low slopes by layer",
      height: 96,
      x: { domain: [0.5, 1.5], ticks: [] },
      y: { domain: [0, 100], ticks: [0, 50, 100], room: 4 },
    });
    let layers = 0;

    function draw(networks, looks, place) {
      if (looks[0].gradientNorms.length !== layers) {
        layers = looks[0].gradientNorms.length;
        plot.setAxes({ x: { domain: [0.5, layers + 0.5] } });
      }
      const width = Math.min(16, 0.3 * (place(2) - place(1)));
      lesson.menu.LETTERS.forEach((letter, index) => {
        const network = networks[index];
        if (!network) return plot.remove(letter);
        const shift = networks.length === 1 ? 0 : (index - 0.5) * 2 * APART;
        const bars = [...looks[index].lowSlope].flatMap((share, layer) => {
          const x = layer + 1 + shift;
          return [
            [x, 0],
            [x, 100 * share],
            [NaN, NaN],
          ];
        });
        plot.line(letter, bars, { colour: network.colour, width, opacity: index ? 0.6 : 1 });
      });
      plot.describe(
        `Share of low slopes by layer. ${networks.map((network, index) => sentence(network, looks[index])).join(" ")}`,
      );
    }

    return { draw };
  };

  function sentence({ name }, { lowSlope }) {
    const { percent } = lesson.numbers;
    return `${name}: from ${percent(Math.min(...lowSlope))} to ${percent(Math.max(...lowSlope))}.`;
  }
})();
