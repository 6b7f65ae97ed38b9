/**
 * What an experiment consists of: the data, one or two networks, and how they are trained.
 *
 * lesson.settings.complete(given) fills in defaults and refuses what cannot be trained, in one sentence with the
 * setting, its value and a remedy.
 */
lesson.settings = (() => {
  "use strict";
  const NETWORK = {
    activation: "relu",
    parameters: {},
    initialisation: "he",
    normalisation: "none",
    residual: false,
    rate: 0.01,
    bias: 0, // initial bias of the hidden layers
  };
  const defaults = {
    data: "circles",
    noise: 0.1, // standard deviation of each coordinate
    points: 300, // to train on, and as many to test on
    depth: 4, // hidden blocks
    width: 16, // units of each
    optimizer: "adam",
    batch: 32, // points of a step; as many as there are points for the whole gradient
    seed: 0,
    networks: [{ ...NETWORK, activation: "sigmoid" }, NETWORK],
  };
  const choices = {
    data: lesson.datasets.names,
    optimizer: ["sgd", "adam"],
    activation: Object.keys(lesson.activations),
    initialisation: ["torch", "he", "xavier", "lecun"],
    normalisation: ["none", "batch", "layer"],
    residual: [false, true],
  };
  const limits = {
    noise: [0, 1],
    points: [10, 2000],
    depth: [1, 30],
    width: [1, 64],
    batch: [2, 2000],
    seed: [0, 2 ** 31 - 1],
    rate: [0, 1e9],
    bias: [-100, 100],
  };
  const DIVISORS = { celu: "alpha", softplus: "beta" };
  const WHOLE = ["points", "depth", "width", "batch", "seed"];

  const checkChoice = (key, value) => {
    if (!choices[key].includes(value)) throw new Error(`${key}=${value}: choose one of ${choices[key].join(", ")}`);
  };
  const checkNumber = (key, value, [least, most]) => {
    const whole = WHOLE.includes(key);
    if (!(typeof value === "number" && value >= least && value <= most) || (whole && !Number.isInteger(value))) {
      throw new Error(`${key}=${value}: choose a ${whole ? "whole " : ""}number from ${least} to ${most}`);
    }
  };

  const checkParameters = ({ activation, parameters }) => {
    const known = lesson.activations[activation].parameters;
    for (const [key, value] of Object.entries(parameters)) {
      const names = known.map((one) => one.key);
      if (!names.includes(key)) {
        throw new Error(`${key}=${value}: ${activation} takes ${names.join(", ") || "no parameter"}; leave it out`);
      }
      if (!Number.isFinite(value)) throw new Error(`${key}=${value}: choose a number`);
    }
    const p = lesson.activations[activation].complete(parameters);
    const divisor = DIVISORS[activation];
    if (p[divisor] === 0) throw new Error(`${divisor}=0: ${activation} divides by it; choose another number`);
    if (p.lower > p.upper) throw new Error(`lower=${p.lower}: choose at most upper=${p.upper}`);
    if (p.min_val >= p.max_val) throw new Error(`min_val=${p.min_val}: choose less than max_val=${p.max_val}`);
  };

  const completeNetwork = (given, { width, depth }) => {
    const network = { ...NETWORK, ...given, parameters: { ...given.parameters } };
    for (const key of ["activation", "initialisation", "normalisation", "residual"]) checkChoice(key, network[key]);
    for (const key of ["rate", "bias"]) checkNumber(key, network[key], limits[key]);
    checkParameters(network);
    if (network.normalisation === "layer" && width < 2) {
      throw new Error("normalisation=layer: one unit normalised by itself is always 0; choose a width of at least 2");
    }
    if (network.residual && width !== 2 && depth < 2) {
      throw new Error("residual=true: no block is as wide as its input; choose a depth of at least 2");
    }
    return network;
  };

  const complete = (given = {}) => {
    const settings = { ...defaults, ...given };
    for (const key of ["data", "optimizer"]) checkChoice(key, settings[key]);
    for (const key of ["noise", "points", "depth", "width", "batch", "seed"]) {
      checkNumber(key, settings[key], limits[key]);
    }
    settings.networks = settings.networks.map((network) => completeNetwork(network, settings));
    return settings;
  };
  return { complete };
})();
