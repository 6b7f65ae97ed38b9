/**
 * What can be chosen in the playground: one table, from which the controls are made and an address is read. What is
 * chosen at first is what the engine fills in.
 *
 * A specification is one of
 * - a choice: `choices`, value -> words;
 * - a list of numbers: `values`, of which the nearest is taken (by ratio);
 * - a number: `least`, `most`, `step`; `whole` if only whole numbers make sense, `isTyped` if there are too many for a slider;
 * - a switch: `isSwitch`.
 */
lesson.menu = (() => {
  "use strict";
  const usual = lesson.settings.complete();
  const [first, second] = usual.networks;
  const SHARED = {
    data: {
      title: "Data",
      choices: { circles: "circles", moons: "moons", xor: "xor", spiral: "spiral" },
      initial: usual.data,
    },
    noise: { title: "Noise", least: 0, most: 0.5, step: 0.05, initial: usual.noise },
    depth: { title: "Hidden layers", least: 1, most: 30, step: 1, whole: true, initial: usual.depth },
    width: { title: "Units a layer", least: 2, most: 32, step: 1, whole: true, initial: usual.width },
    optimizer: { title: "Optimizer", choices: { sgd: "SGD", adam: "Adam" }, initial: usual.optimizer },
    batch: { title: "Points a step", values: [32, usual.points], initial: usual.batch },
    seed: { title: "Seed", least: 0, most: 9999, step: 1, whole: true, isTyped: true, initial: usual.seed },
  };
  const OWN = {
    activation: { title: "Activation", choices: null, initial: first.activation }, // the choices are the engine's
    rate: {
      title: "Learning rate",
      values: [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3],
      initial: first.rate,
    },
    initialisation: {
      title: "Initialisation",
      choices: { torch: "PyTorch", he: "He", xavier: "Xavier", lecun: "LeCun" },
      initial: first.initialisation,
    },
    normalisation: {
      title: "Normalisation",
      choices: { none: "none", batch: "batch norm", layer: "layer norm" },
      initial: first.normalisation,
    },
    residual: { title: "Skip connections", isSwitch: true, initial: first.residual },
    bias: { title: "Initial bias", least: -3, most: 3, step: 0.5, initial: first.bias },
  };
  const LETTERS = ["A", "B"];
  const SECOND = second.activation; // the second network's activation, where nothing else is said

  const initials = (specifications) =>
    Object.fromEntries(Object.entries(specifications).map(([key, { initial }]) => [key, initial]));
  const network = (changes = {}) => ({ ...initials(OWN), parameters: {}, ...changes });
  const isSame = (one, other) => JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));

  /** An object with its keys in order, all the way down, so that equal settings are equal text. */
  function sorted(value) {
    if (Array.isArray(value)) return value.map(sorted);
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(
      Object.keys(value)
        .sort()
        .map((key) => [key, sorted(value[key])]),
    );
  }

  /** The settings that the changes make of the initial ones; each network may leave out what is as usual. */
  function complete({ networks = [{}, { activation: SECOND }], ...shared } = {}) {
    return { ...initials(SHARED), points: usual.points, ...shared, networks: networks.map(network) };
  }

  /** The specification of a network's own setting, with the engine's activations. */
  function own(key) {
    if (key !== "activation") return OWN[key];
    const choices = Object.fromEntries(Object.entries(lesson.activations).map(([name, { title }]) => [name, title]));
    return { ...OWN.activation, choices };
  }

  /**
   * The nearest legal value to what somebody typed.
   *
   * @param {object} specification
   * @param {string} text
   * @returns {{value: any, isMended: boolean}}
   */
  function mend(specification, text) {
    const { choices, values, least, most, whole, isSwitch, initial } = specification;
    if (isSwitch) return { value: text === "yes", isMended: !["yes", "no"].includes(text) };
    if (choices)
      return Object.hasOwn(choices, text) ? { value: text, isMended: false } : { value: initial, isMended: true };
    const number = text.trim() === "" ? NaN : Number(text);
    if (Number.isNaN(number)) return { value: initial, isMended: true };
    if (values) {
      const distance = (value) => (number > 0 ? Math.abs(Math.log(value / number)) : value);
      const value = values.reduce((best, next) => (distance(next) < distance(best) ? next : best));
      return { value, isMended: value !== number };
    }
    const clamped = Math.min(most, Math.max(least, number));
    const value = whole ? Math.round(clamped) : clamped;
    return { value, isMended: value !== number };
  }

  /**
   * Settings that make sense together.
   *
   * @param {object} given - complete, each setting legal.
   * @returns {{settings: object, reasons: string[]}} the reasons for what was changed.
   */
  function reconcile(given) {
    const settings = structuredClone(given);
    const reasons = [];
    settings.networks.forEach((one, index) => {
      if (one.residual && settings.depth < 2 && settings.width !== 2) {
        one.residual = false;
        reasons.push(
          `${LETTERS[index]} has no skip connections, since its one hidden layer is not as wide as its input`,
        );
      }
      const { lower, upper } = lesson.activations[one.activation].complete(one.parameters);
      if (lower > upper) {
        one.parameters.upper = lower;
        reasons.push(`${LETTERS[index]}'s largest slope is not under its smallest: both are ${lower}`);
      }
    });
    return { settings, reasons };
  }

  return { SHARED, OWN, LETTERS, SECOND, complete, isSame, mend, network, own, reconcile };
})();
