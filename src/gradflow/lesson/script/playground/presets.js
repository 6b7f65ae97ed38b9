/**
 * Situations to try, each with what it teaches and what has to be measured for that to be true.
 *
 * - `settings`: changes to the usual ones (`lesson.menu.complete`).
 * - `pictures`: those that the small playground shows, in a wide column and a narrow one: `regions`, `loss`, `gradients`,
 *   `slopes`, `units`.
 * - `teaches`: one sentence, true at every seed for which `check` holds.
 * - `steps`: how long to play.
 * - `check`: for each network, quantity -> what must be found there (`lesson.findings`).
 */
lesson.presets = (() => {
  "use strict";
  const TEN = { data: "circles", depth: 10, width: 16 };
  const SIGMOID = { activation: "sigmoid", initialisation: "xavier", rate: 0.01 };
  const THREE = { data: "circles", depth: 3, width: 32 };
  const FAST = { activation: "relu", initialisation: "he", rate: 0.1 };

  return {
    "sigmoid-ten-layers": {
      title: "Sigmoid cannot learn at ten layers",
      settings: { ...TEN, networks: [SIGMOID, { activation: "relu", initialisation: "he", rate: 0.01 }] },
      pictures: [["gradients"], ["regions", "loss"]],
      teaches: "Ten sigmoids in a row whisper the error away before it reaches the first layers; ReLU passes it on.",
      steps: 500,
      check: { a: { loss: "stays", message: "fades" }, b: { loss: "falls", message: "arrives" } },
    },
    "sigmoid-ten-layers-batch-norm": {
      title: "The same with batch norm",
      settings: { ...TEN, networks: [SIGMOID, { ...SIGMOID, normalisation: "batch" }] },
      pictures: [["gradients"], ["regions", "loss"]],
      teaches:
        "Batch norm spreads every layer's input to where the sigmoid is steep: the message arrives, and the loss falls.",
      steps: 500,
      check: { a: { loss: "stays", message: "fades" }, b: { loss: "falls", message: "arrives" } },
    },
    "relu-units-die": {
      title: "ReLU's units die",
      settings: { ...THREE, networks: [FAST, { ...FAST, rate: 0.003 }] },
      pictures: [["units"], ["loss"]],
      teaches:
        "Steps that are too large push ReLU units to where their slope is 0 for every point, and there most of them stay; with small steps nearly all of them live.",
      steps: 400,
      check: { a: { dead: "many" }, b: { dead: "few", loss: "falls" } },
    },
    "leaky-relu-cures": {
      title: "Leaky ReLU cures it",
      settings: { ...THREE, networks: [FAST, { ...FAST, activation: "leaky_relu" }] },
      pictures: [["units"], ["loss"]],
      teaches:
        "At the same large rate, from the same draws, not one leaky ReLU dies: a small slope below zero is enough to come back.",
      steps: 400,
      check: { a: { dead: "many" }, b: { dead: "none", loss: "falls" } },
    },
    "he-or-not": {
      title: "He or not",
      settings: {
        data: "moons",
        noise: 0.05,
        depth: 12,
        width: 16,
        optimizer: "sgd",
        networks: [
          { activation: "relu", initialisation: "torch", rate: 0.03 },
          { activation: "relu", initialisation: "he", rate: 0.03 },
        ],
      },
      pictures: [["gradients"], ["regions", "loss"]],
      teaches:
        "PyTorch's default weights are too small for a deep ReLU network and shrink the message at every layer; He initialisation makes them as large as ReLU needs.",
      steps: 500,
      check: { a: { loss: "stays", message: "fades" }, b: { loss: "falls", message: "arrives" } },
    },
    "identity-one-line": {
      title: "Identity: ten layers are one line",
      settings: {
        ...TEN,
        networks: [
          { activation: "identity", rate: 0.01 },
          { activation: "relu", rate: 0.01 },
        ],
      },
      pictures: [["regions"], ["loss"]],
      teaches:
        "Without an activation, ten layers draw one straight line; with ReLU, the border bends around the circle.",
      steps: 400,
      check: { a: { border: "straight", loss: "stays" }, b: { border: "bent", loss: "falls" } },
    },
  };
})();
