/**
 * The activation functions by the package's names: title, parameters, value and slope.
 *
 * lesson.activations[name] = { title, parameters: [{ key, title, initial, least, most }], learned, random,
 * value(z, p, draw), slope(z, p, draw) }. A key that p lacks has its initial value, that of conf/activation.
 */
lesson.activations = (() => {
  "use strict";
  const parameter = (key, title, initial, least, most) => ({ key, title, initial, least, most });
  const alpha = parameter("alpha", "alpha: minus the limit far below zero", 1, 0.1, 3);

  const KNOWN = {
    identity: ["identity", []],
    sigmoid: ["sigmoid", []],
    tanh: ["tanh", []],
    relu: ["ReLU", []],
    leaky_relu: ["leaky ReLU", [parameter("negative_slope", "slope below zero", 0.01, 0, 1)]],
    prelu: ["PReLU", [parameter("init", "initial slope below zero", 0.25, 0, 1)]],
    rrelu: [
      "RReLU",
      [
        parameter("lower", "smallest slope below zero", 0.125, 0, 1),
        parameter("upper", "largest slope below zero", 0.3333333333333333, 0, 1),
      ],
    ],
    elu: ["ELU", [alpha]],
    celu: ["CELU", [alpha]],
    selu: ["SELU", []],
    gelu: ["GELU", []],
    silu: ["SiLU (swish)", []],
    mish: ["Mish", []],
    softplus: [
      "softplus",
      [
        parameter("beta", "beta: sharpness of the bend", 1, 0.2, 10),
        parameter("threshold", "linear where beta z is larger", 20, 1, 40),
      ],
    ],
    softsign: ["softsign", []],
    hardtanh: [
      "hard tanh",
      [parameter("min_val", "smallest output", -1, -3, -0.1), parameter("max_val", "largest output", 1, 0.1, 3)],
    ],
    relu6: ["ReLU6", []],
    hard_swish: ["hard swish", []],
  };

  /** All parameters of a function: those given, the others at their initial values. */
  const complete = (parameters, given = {}) =>
    Object.fromEntries(parameters.map(({ key, initial }) => [key, given[key] ?? initial]));

  const entry = (name) => {
    const [title, parameters] = KNOWN[name];
    const { value, slope } = lesson.formulas[name];
    return {
      title,
      parameters,
      learned: name === "prelu",
      random: name === "rrelu",
      value: (z, given, draw) => value(z, complete(parameters, given), draw),
      slope: (z, given, draw) => slope(z, complete(parameters, given), draw),
      complete: (given) => complete(parameters, given),
    };
  };
  return Object.fromEntries(Object.keys(KNOWN).map((name) => [name, entry(name)]));
})();
