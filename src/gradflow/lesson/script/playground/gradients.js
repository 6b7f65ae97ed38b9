/** Each layer's gradient norm on a log axis, both networks on the same one. */
lesson.gradientChart = (() => {
  "use strict";
  const LEAST_DECADES = 4;
  const LOWEST = -40; // decades

  /**
   * @param {HTMLElement} parent
   * @param {number} [height] - in pixels.
   * @returns {{plot: object, draw: function(object[], object[])}} draw(networks, looks of the networks); the range of
   *   the axis only grows, so that the picture keeps still.
   */
  return (parent, height = 230) => {
    let decades = null; // [lowest, highest] shown so far
    const plot = lesson.plot(parent, {
      title: "Gradient norm by layer",
      height,
      x: { domain: [0.5, 1.5], ticks: [] },
      y: { domain: [1e-4, 1], log: true, label: "gradient norm", room: 4 },
    });

    function stretch(values, layers) {
      const exponents = values.filter((value) => value > 0 && Number.isFinite(value)).map(Math.log10);
      const low = Math.max(LOWEST, Math.floor(Math.min(...exponents, 0)));
      const high = Math.ceil(Math.max(...exponents, low + LEAST_DECADES));
      const grown = decades ? [Math.min(low, decades[0]), Math.max(high, decades[1])] : [low, high];
      if (decades && grown.every((end, k) => end === decades[k])) return;
      decades = grown;
      plot.setAxes({ x: { domain: [0.5, layers + 0.5] }, y: { domain: decades.map((end) => 10 ** end) } });
    }

    function draw(networks, looks) {
      stretch(
        looks.flatMap((look) => [...look.gradientNorms]),
        looks[0].gradientNorms.length,
      );
      const lowest = 10 ** decades[0];
      lesson.menu.LETTERS.forEach((letter, index) => {
        const keys = [letter, `${letter} marks`, `${letter} none`];
        const network = networks[index];
        if (!network) return keys.forEach(plot.remove);
        const points = [...looks[index].gradientNorms].map((norm, layer) => [layer + 1, norm]);
        plot.line(keys[0], points, { colour: network.colour, dash: network.dash, width: 3 });
        plot.points(keys[1], points, { colour: network.colour, shape: network.shape, radius: 5 });
        const none = points.filter(([, norm]) => norm === 0).map(([layer]) => [layer, lowest * 10 ** 0.15]);
        plot.points(keys[2], none, { colour: network.colour, shape: "cross", radius: 5 });
      });
      plot.describe(
        `Gradient norm by layer. ${networks.map((network, index) => sentence(network, looks[index])).join(" ")}`,
      );
    }

    return { plot, draw };
  };

  function sentence({ name }, { gradientNorms }) {
    const { short } = lesson.numbers;
    return `${name}: ${short(gradientNorms[0])} in layer 1, ${short(gradientNorms.at(-1))} in the output layer.`;
  }
})();
