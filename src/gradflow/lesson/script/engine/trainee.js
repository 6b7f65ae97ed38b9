/** One network of a session, with its optimizer and the memory for a step. */
lesson.trainee = (() => {
  "use strict";

  const isFinite = (loss, gradients) => {
    let sum = Math.abs(loss);
    for (let i = 0; i < gradients.length; i++) sum += Math.abs(gradients[i]);
    return sum < Infinity;
  };

  /** Fill every block's draws: slopes below zero, uniform between the random activation's two, or those handed in. */
  const drawSlopes = ({ network, work, random }, handed) => {
    network.layers.forEach(({ hidden, p }, index) => {
      if (!hidden) return;
      const { draws } = work.blocks[index];
      if (handed) draws.set(handed[index]);
      else for (let i = 0; i < draws.length; i++) draws[i] = p.lower + (p.upper - p.lower) * random.uniform();
    });
  };

  const gather = (from, points, x) => {
    for (let i = 0; i < points.length; i++) {
      x[2 * i] = from[2 * points[i]];
      x[2 * i + 1] = from[2 * points[i] + 1];
    }
  };

  /**
   * @param {object} settings complete ones
   * @param {number} place of the network in the settings
   * @param {object[]} [weights] tensors by name, for each layer, in place of the seed's
   * @returns {{ network: object, diverged: boolean, loss: number, step: function }} loss: of the last batch
   */
  return (settings, place, weights) => {
    const chosen = settings.networks[place];
    const network = lesson.network.make({ ...settings, ...chosen });
    lesson.initialise(network, chosen, settings.seed);
    weights?.forEach((tensors, index) => {
      for (const [name, values] of Object.entries(tensors)) network.layers[index][name].set(values);
    });
    const work = lesson.network.workspace(network, Math.min(settings.batch, settings.points));
    const update = lesson.optimizers[settings.optimizer](network.parameters, network.gradients, chosen.rate);
    const draw = lesson.activations[chosen.activation].random;
    const trainee = { network, work, random: lesson.random(settings.seed, "draws"), diverged: false, loss: NaN };

    /** One update; a network whose loss or gradient is not finite has diverged and stays as it is from then on. */
    trainee.step = (data, points, draws) => {
      if (trainee.diverged) return;
      gather(data.x, points, work.x);
      if (draw) drawSlopes(trainee, draws);
      lesson.network.forward(network, work, points.length, { draw });
      trainee.loss = lesson.loss.crossEntropy(work.logits, data.y, points, points.length, work.dLogits).loss;
      lesson.network.backward(network, work);
      trainee.diverged = !isFinite(trainee.loss, network.gradients);
      if (!trainee.diverged) update();
    };
    return trainee;
  };
})();
