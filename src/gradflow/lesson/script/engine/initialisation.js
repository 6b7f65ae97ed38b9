/**
 * Initial weights, by the schemes of gradflow.models.initialization: torch draws uniform weights and biases, the others
 * normal weights and zero biases.
 *
 * Every layer draws from a stream of its own. The draws depend on seed, layer and shape alone; scheme and activation
 * only scale them, so that two networks of one seed are comparable.
 */
lesson.initialise = (() => {
  "use strict";
  /** Standard deviation of a normal weight. */
  const deviations = {
    he: (gain, inputs) => gain / Math.sqrt(inputs),
    xavier: (gain, inputs, units) => gain * Math.sqrt(2 / (inputs + units)),
    lecun: (gain, inputs) => 1 / Math.sqrt(inputs),
  };

  const fill = (values, draw) => {
    for (let i = 0; i < values.length; i++) values[i] = draw();
  };

  const drawLayer = (layer, random, scheme, gain, bias) => {
    if (scheme === "torch") {
      const reach = 1 / Math.sqrt(layer.inputs);
      const draw = () => reach * (2 * random.uniform() - 1);
      fill(layer.weight, draw);
      fill(layer.bias, () => draw() + bias);
      return;
    }
    const deviation = deviations[scheme](gain, layer.inputs, layer.units);
    fill(layer.weight, () => deviation * random.normal());
    layer.bias.fill(bias);
  };

  /**
   * @param {object} network of lesson.network
   * @param {{ activation: string, parameters: object, initialisation: string, bias: number }} settings of the network
   * @param {number} seed
   */
  return (network, { activation, parameters, initialisation, bias }, seed) => {
    const hiddenGain = lesson.gain(activation, parameters);
    network.layers.forEach((layer, index) => {
      const random = lesson.random(seed, `weights ${index}`);
      drawLayer(layer, random, initialisation, layer.hidden ? hiddenGain : 1, layer.hidden ? bias : 0);
    });
  };
})();
