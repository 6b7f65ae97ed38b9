/**
 * Sliders for the parameters of the chosen activation.
 *
 * lesson.parameters(place): keeps the element `place` in step with lesson.chosen.
 */
lesson.parameters = (() => {
  "use strict";
  const HIDDEN = ["threshold"]; // changes nothing that can be seen
  const DECIMALS = 2; // of a slider that was moved
  const ORDERED = [["lower", "upper"]]; // the first is at most the second

  const text = (value) => lesson.numbers.short(value);

  /** The other end of a range goes along when one is pushed past it. */
  function ordered(parameters, usual, moved) {
    for (const [low, high] of ORDERED.filter((pair) => pair.includes(moved))) {
      const all = { ...usual, ...parameters };
      if (all[low] > all[high]) parameters[moved === low ? high : low] = all[moved];
    }
    return parameters;
  }

  return (place) => {
    let built = null; // the name of the activation whose sliders are there

    function build(name) {
      const { parameters } = lesson.activations[name];
      const rows = parameters.filter(({ key }) => !HIDDEN.includes(key)).map(({ key, title, least, most }) => {
        const label = document.createElement("label");
        const input = Object.assign(document.createElement("input"), { type: "range", min: least, max: most, step: "any" });
        const output = document.createElement("output");
        output.setAttribute("aria-hidden", "true");
        output.className = "number";
        label.append(`${title} `, input, output);
        input.dataset.parameter = key;
        input.addEventListener("input", () => {
          const value = Number(Number(input.value).toFixed(DECIMALS));
          const usual = lesson.activations[name].complete({});
          lesson.chosen.set({ parameters: ordered({ ...lesson.chosen.get().parameters, [key]: value }, usual, key) });
        });
        return label;
      });
      const reset = Object.assign(document.createElement("button"), { type: "button", textContent: "Usual values" });
      reset.addEventListener("click", () => {
        lesson.chosen.set({ parameters: {} });
        place.querySelector("input").focus(); // the button goes away
      });
      place.replaceChildren(...rows, ...(rows.length ? [reset] : []));
      place.hidden = !rows.length;
      built = name;
    }

    function follow({ name, parameters }) {
      if (name !== built) build(name);
      const all = lesson.activations[name].complete(parameters);
      for (const input of place.querySelectorAll("input")) {
        const value = all[input.dataset.parameter];
        if (Number(input.value).toFixed(DECIMALS) !== value.toFixed(DECIMALS)) input.value = value;
        input.setAttribute("aria-valuetext", text(value));
        input.nextElementSibling.textContent = text(value);
      }
      const reset = place.querySelector("button");
      if (reset) reset.hidden = !Object.keys(parameters).length;
    }

    lesson.chosen.listen(follow);
    follow(lesson.chosen.get());
  };
})();
