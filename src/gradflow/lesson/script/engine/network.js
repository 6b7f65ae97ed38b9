/**
 * A dense network: blocks of Linear, normalisation, activation and, where input and output are equally wide, a skip,
 * as gradflow.models.blocks.DenseBlock; then a head of two logits.
 *
 * All parameters lie in one array, all gradients in another, and each layer has views of both. What a pass needs beside
 * them is allocated once, in a workspace for a number of rows.
 */
lesson.network = (() => {
  "use strict";
  const INPUTS = 2;
  const LOGITS = 2;

  /** Inputs, units and kind of each layer, hidden ones first. */
  const shapes = ({ depth, width, residual }) => {
    const hidden = Array.from({ length: depth }, (_, index) => {
      const inputs = index ? width : INPUTS;
      return { hidden: true, inputs, units: width, skip: residual && inputs === width };
    });
    return [...hidden, { hidden: false, inputs: width, units: LOGITS, skip: false }];
  };

  /** The tensors of a layer and their sizes. */
  const sizes = ({ hidden, inputs, units }, normalised, learned) => ({
    weight: units * inputs,
    bias: units,
    scale: hidden && normalised ? units : 0,
    shift: hidden && normalised ? units : 0,
    slope: hidden && learned ? 1 : 0,
  });

  /**
   * @param {{ depth: number, width: number, activation: string, parameters: object, normalisation: string,
   *   residual: boolean }} settings
   * @returns {{ layers: object[], parameters: Float64Array, gradients: Float64Array }} of a layer: inputs, units, skip,
   *   weight, bias, scale, shift, slope (PReLU's), and gradients by the same names
   */
  const make = (settings) => {
    const { activation, normalisation } = settings;
    const { learned, complete } = lesson.activations[activation];
    const layers = shapes(settings);
    const all = layers.map((layer) => sizes(layer, normalisation !== "none", learned));
    const total = all.reduce((sum, one) => sum + Object.values(one).reduce((a, b) => a + b), 0);
    const parameters = new Float64Array(total);
    const gradients = new Float64Array(total);
    let from = 0;
    layers.forEach((layer, index) => {
      layer.gradients = {};
      for (const [name, size] of Object.entries(all[index])) {
        layer[name] = parameters.subarray(from, from + size);
        layer.gradients[name] = gradients.subarray(from, from + size);
        from += size;
      }
      layer.p = complete(settings.parameters);
      layer.scale.fill(1);
      layer.slope.fill(layer.p.init ?? 0);
    });
    return { activation, normalisation, layers, parameters, gradients };
  };

  /** Memory for passes of up to `rows` rows. */
  const workspace = (network, rows) => {
    const { normalisation, layers } = network;
    const normalised = normalisation !== "none";
    const random = lesson.activations[network.activation].random;
    const blocks = layers.map(({ hidden, units }) => {
      const entries = rows * units;
      const groups = hidden ? lesson.normalisation.groupCount(normalisation, rows, units) : 0;
      const affine = new Float64Array(entries);
      return {
        affine,
        mean: new Float64Array(groups),
        inverse: new Float64Array(groups),
        normal: new Float64Array(hidden && normalised ? entries : 0),
        z: hidden && normalised ? new Float64Array(entries) : affine, // pre-activation
        slope: new Float64Array(hidden ? entries : 0), // f'(z)
        draws: new Float64Array(hidden && random ? entries : 0),
        output: hidden ? new Float64Array(entries) : affine,
        gradient: new Float64Array(entries), // of the loss by output, then by z, then by affine
        fromSkip: new Float64Array(hidden ? entries : 0),
      };
    });
    const { affine: logits, gradient: dLogits } = blocks[blocks.length - 1];
    return { blocks, x: new Float64Array(rows * INPUTS), rows: 0, logits, dLogits };
  };

  /**
   * @param {object} network
   * @param {object} work a workspace whose x is filled
   * @param {number} rows
   * @param {{ statistics?: object, draw?: boolean, backward?: boolean }} [options] statistics: a workspace whose batch
   *   statistics are used in place of those of these rows; draw: a random activation uses the blocks' draws in place of
   *   its mean slope; backward: whether slopes are needed
   */
  const forward = (network, work, rows, { statistics = null, draw = false, backward = true } = {}) => {
    const { normalisation, layers, activation } = network;
    const { values, slopes } = lesson.loops[activation];
    work.rows = rows;
    let input = work.x;
    for (let index = 0; index < layers.length; index++) {
      const layer = layers[index];
      const block = work.blocks[index];
      const { inputs, units } = layer;
      lesson.linear.forward(layer.weight, layer.bias, input, block.affine, rows, inputs, units);
      if (!layer.hidden) return;
      if (normalisation !== "none") {
        const fixed = statistics && normalisation === "batch" ? statistics.blocks[index] : null;
        if (!fixed) lesson.normalisation.measure(normalisation, block.affine, block.mean, block.inverse, rows, units);
        const { scale, shift } = layer;
        lesson.normalisation.apply(
          normalisation, block.affine, fixed ?? block, block.normal, block.z, scale, shift, rows, units,
        );
      }
      if (layer.slope.length) layer.p.init = layer.slope[0];
      const draws = draw ? block.draws : null;
      values(block.z, block.output, rows * units, layer.p, draws);
      if (backward) slopes(block.z, block.slope, rows * units, layer.p, draws);
      if (layer.skip) for (let i = 0; i < rows * units; i++) block.output[i] += input[i];
      input = block.output;
    }
  };

  /** Through f: the gradient by z from that by f(z), in place; before that, what the learned slope gets. */
  const backwardActivation = (layer, block, count) => {
    const { gradient, slope, z } = block;
    if (layer.slope.length) {
      let sum = 0;
      for (let i = 0; i < count; i++) if (z[i] <= 0) sum += gradient[i] * z[i];
      layer.gradients.slope[0] = sum;
    }
    for (let i = 0; i < count; i++) gradient[i] *= slope[i];
  };

  /** Gradients of all parameters, after a forward pass and once the last block's gradient (by the logits) is set. */
  const backward = (network, work) => {
    const { normalisation, layers } = network;
    const { rows, blocks } = work;
    for (let index = layers.length - 1; index >= 0; index--) {
      const layer = layers[index];
      const block = blocks[index];
      const { inputs, units, gradients } = layer;
      const count = rows * units;
      if (layer.hidden) {
        if (layer.skip) for (let i = 0; i < count; i++) block.fromSkip[i] = block.gradient[i];
        backwardActivation(layer, block, count);
        if (normalisation !== "none") {
          const { normal, gradient, inverse } = block;
          lesson.normalisation.backwardParameters(normal, gradient, gradients.scale, gradients.shift, rows, units);
          lesson.normalisation.backward(normalisation, normal, inverse, layer.scale, gradient, rows, units);
        }
      }
      const input = index ? blocks[index - 1].output : work.x;
      lesson.linear.backwardWeight(input, block.gradient, gradients.weight, gradients.bias, rows, inputs, units);
      if (!index) return;
      const below = blocks[index - 1].gradient;
      lesson.linear.backwardInput(layer.weight, block.gradient, below, rows, inputs, units);
      if (layer.skip) for (let i = 0; i < count; i++) below[i] += block.fromSkip[i];
    }
  };

  return { make, workspace, forward, backward };
})();
