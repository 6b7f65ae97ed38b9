/**
 * The playground's state in the page's address, so that a situation can be linked:
 * `#play&data=spiral&depth=10&a=sigmoid,rate:0.03&b=relu,normalisation:batch`. What is as usual is left out; `preset=` names a
 * preset, `b=none` takes the second network away.
 */
lesson.address = (() => {
  "use strict";
  const START = "#play";
  const NONE = "none";
  const { SHARED, OWN, LETTERS, SECOND, complete, isSame, mend, network, own, reconcile } = lesson.menu;

  const isPlay = (hash) => hash === START || hash.startsWith(`${START}&`);

  /** The preset that these settings are, whatever the seed; undefined if they are none. */
  function presetOf(settings) {
    const ofSeed = (changes) => complete({ ...changes, seed: settings.seed });
    return Object.keys(lesson.presets).find((name) => isSame(ofSeed(lesson.presets[name].settings), settings));
  }

  /**
   * @param {object} settings - complete and legal.
   * @returns {string} beginning with `#play`.
   */
  function write(settings) {
    const name = presetOf(settings);
    const usual = complete(name ? lesson.presets[name].settings : {});
    const parts = name ? [`preset=${name}`] : [];
    for (const key of Object.keys(SHARED)) if (settings[key] !== usual[key]) parts.push(`${key}=${settings[key]}`);
    LETTERS.forEach((letter, index) => {
      const given = settings.networks[index];
      if (!given) parts.push(...(usual.networks[index] ? [`${letter.toLowerCase()}=${NONE}`] : []));
      else if (!isSame(given, usual.networks[index])) parts.push(`${letter.toLowerCase()}=${writeNetwork(given)}`);
    });
    return [START, ...parts].join("&");
  }

  function writeNetwork(given) {
    const parts = [given.activation];
    for (const [key, { initial, isSwitch }] of Object.entries(OWN)) {
      if (key === "activation" || given[key] === initial) continue;
      parts.push(isSwitch ? `${key}:${given[key] ? "yes" : "no"}` : `${key}:${given[key]}`);
    }
    for (const [key, value] of Object.entries(given.parameters)) parts.push(`${key}:${value}`);
    return parts.join(",");
  }

  /**
   * @param {string} hash - of an address, beginning with `#play`.
   * @returns {{settings: object, complaint: string}} legal settings whatever the hash holds; the complaint is one sentence
   *   on what was mended, or empty.
   */
  function read(hash) {
    const pairs = hash
      .split("&")
      .slice(1)
      .filter(Boolean)
      .map((pair) => split(decoded(pair), "="));
    const wrong = [];
    const preset = pairs.find(([key]) => key === "preset")?.[1];
    if (preset !== undefined && !Object.hasOwn(lesson.presets, preset)) wrong.push(`no preset is called “${preset}”`);
    const settings = complete(Object.hasOwn(lesson.presets, preset ?? "") ? lesson.presets[preset].settings : {});
    for (const [key, text] of pairs) {
      const index = LETTERS.findIndex((letter) => letter.toLowerCase() === key);
      if (key === "preset") continue;
      if (Object.hasOwn(SHARED, key)) settings[key] = take(SHARED[key], key, text, wrong);
      else if (index === 1 && text === NONE) settings.networks.length = 1;
      else if (index >= 0) settings.networks[index] = readNetwork(text, key, wrong);
      else wrong.push(`“${key}” is not a setting`);
    }
    const { settings: sound, reasons } = reconcile(settings);
    wrong.push(...reasons);
    return {
      settings: sound,
      complaint: wrong.length ? `Not everything in this link makes sense: ${wrong.join("; ")}.` : "",
    };
  }

  function readNetwork(text, letter, wrong) {
    const [name, ...parts] = text.split(",");
    const usual = letter === "b" ? { ...own("activation"), initial: SECOND } : own("activation");
    const made = network({ activation: take(usual, letter, name, wrong) });
    const parameters = lesson.activations[made.activation].parameters;
    for (const [key, value] of parts.map((part) => split(part, ":"))) {
      const parameter = parameters.find((one) => one.key === key);
      const title = `${letter}'s ${key}`;
      if (parameter) made.parameters[key] = take(parameter, title, value, wrong);
      else if (key !== "activation" && Object.hasOwn(OWN, key)) made[key] = take(own(key), title, value, wrong);
      else wrong.push(`“${key}” is not a setting of ${made.activation}`);
    }
    return made;
  }

  function take(specification, key, text, wrong) {
    const { value, isMended } = mend(specification, text);
    if (isMended)
      wrong.push(`${key} cannot be “${text}”, so it is ${specification.isSwitch ? (value ? "yes" : "no") : value}`);
    return value;
  }

  function split(text, sign) {
    const at = text.indexOf(sign);
    return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
  }

  function decoded(text) {
    try {
      return decodeURIComponent(text);
    } catch {
      return text; // a lone % is no code: it is shown as it was typed
    }
  }

  return { isPlay, presetOf, read, write };
})();
