/**
 * The playground's settings as native controls, each with its label, made from the table of `lesson.menu`.
 */
lesson.controls = (() => {
  "use strict";
  const { element, menu } = lesson;
  const OPTIONAL = 1; // the index of the network that can be taken away
  let made = 0; // labels need ids

  /**
   * @param {HTMLElement} parent
   * @param {function(object)} onChange - called with whole new settings.
   * @returns {{show: function(object)}} show(settings) sets every control.
   */
  function controls(parent, onChange) {
    let settings = null;
    const change = (edit) => {
      const next = structuredClone(settings);
      edit(next);
      onChange(menu.reconcile(next).settings);
    };
    const shared = Object.entries(menu.SHARED).map(([key, specification]) =>
      field(key, specification, (value) => change((next) => (next[key] = value))),
    );
    const together = group(
      "Both networks",
      "shared",
      shared.map(({ node }) => node),
    );
    const cards = menu.LETTERS.map((letter, index) => card(letter, index, change));
    parent.replaceChildren(together, ...cards.map(({ node }) => node));
    return {
      show: (given) => {
        settings = given;
        for (const control of shared) control.show(settings[control.key]);
        cards.forEach((one, index) => one.show(settings.networks[index], settings));
      },
    };
  }

  function group(title, name, children) {
    return element("fieldset", { class: name }, element("legend", {}, title), ...children);
  }

  /** The settings of one network. */
  function card(letter, index, change) {
    const edit = (key) => (value) => change((next) => (next.networks[index][key] = value));
    const activation = field("activation", menu.own("activation"), (value) =>
      change((next) => Object.assign(next.networks[index], { activation: value, parameters: {} })),
    );
    const rest = Object.keys(menu.OWN)
      .filter((key) => key !== "activation")
      .map((key) => field(key, menu.own(key), edit(key)));
    const parameters = element("div", { class: "parameters" });
    const inside = element("div", { class: "own" }, activation.node, parameters, ...rest.map(({ node }) => node));
    const present = index === OPTIONAL ? presence(index, change) : null;
    const node = group(
      `Network ${letter}`,
      `network network-${letter.toLowerCase()}`,
      present ? [present.node, inside] : [inside],
    );
    let shownFor = null;

    function show(network, settings) {
      if (present) present.show(network !== undefined);
      inside.hidden = network === undefined;
      if (!network) return;
      for (const control of [activation, ...rest]) control.show(network[control.key]);
      if (shownFor !== network.activation) {
        shownFor = network.activation;
        parameters.replaceChildren(...lesson.activations[network.activation].parameters.map((one) => parameter(one)));
      }
      for (const one of parameters.children) one.show(network.parameters);
      node.style.setProperty("--own", lesson.networks(settings)[index].colour);
    }

    function parameter(one) {
      const control = field(one.key, { ...one, step: "any" }, (value) =>
        change((next) => (next.networks[index].parameters[one.key] = value)),
      );
      control.node.show = (given) => control.show(given[one.key] ?? one.initial);
      return control.node;
    }

    return { node, show };
  }

  /** Whether the second network is there at all. */
  function presence(index, change) {
    return field("present", { title: "Train it beside A", isSwitch: true }, (value) =>
      change((next) =>
        value ? next.networks.push(menu.network({ activation: menu.SECOND })) : (next.networks.length = index),
      ),
    );
  }

  /**
   * A control with its label.
   *
   * @param {string} key
   * @param {object} specification - of `lesson.menu`.
   * @param {function(any)} onChange
   * @returns {{key: string, node: HTMLElement, show: function(any)}}
   */
  function field(key, specification, onChange) {
    const id = `control-${(made += 1)}`;
    const { title, choices, values, isSwitch } = specification;
    const label = element("label", { for: id }, title);
    if (isSwitch) {
      const input = element("input", {
        id,
        type: "checkbox",
        "data-setting": key,
        on: { change: () => onChange(input.checked) },
      });
      return {
        key,
        node: element("div", { class: "field switch" }, input, label),
        show: (value) => (input.checked = value),
      };
    }
    if (choices || values) {
      const options = choices ? Object.entries(choices) : values.map((value) => [value, String(value)]);
      const read = () => onChange(choices ? input.value : Number(input.value));
      const input = element(
        "select",
        { id, "data-setting": key, on: { change: read } },
        ...options.map(([value, text]) => element("option", { value }, text)),
      );
      return { key, node: element("div", { class: "field" }, label, input), show: (value) => (input.value = value) };
    }
    if (specification.isTyped) return typed(key, id, specification, label, onChange);
    return slider(key, id, specification, label, onChange);
  }

  function typed(key, id, specification, label, onChange) {
    const { least, most, step } = specification;
    const read = () => onChange(menu.mend(specification, input.value).value);
    const input = element("input", {
      id,
      type: "number",
      min: least,
      max: most,
      step,
      "data-setting": key,
      on: { change: read },
    });
    return { key, node: element("div", { class: "field" }, label, input), show: (value) => (input.value = value) };
  }

  function slider(key, id, { least, most, step }, label, onChange) {
    const output = element("output", { for: id });
    const input = element("input", {
      id,
      type: "range",
      min: least,
      max: most,
      step: step === "any" ? (most - least) / 100 : step,
      "data-setting": key,
      on: {
        input: () => (output.value = text(Number(input.value))),
        change: () => onChange(Number(Number(input.value).toPrecision(6))),
      },
    });
    const show = (value) => {
      input.value = value;
      output.value = text(value);
    };
    return { key, node: element("div", { class: "field" }, label, output, input), show };
  }

  const text = (value) => lesson.numbers.short(value, 3);

  return controls;
})();
