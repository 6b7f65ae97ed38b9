/** The function explorer: puts the choice, the sliders, the plots and the words together. */
lesson.explorer = (() => {
  "use strict";
  const STEP = 0.05; // of z, while it is dragged

  function start() {
    const place = document.querySelector("[data-explorer]");
    if (!place) return;
    const facts = lesson.data("facts").activations;
    const find = (selector) => place.querySelector(selector);
    const [choice, compared, input] = [find("[data-choice]"), find("[data-compared]"), find("[data-place]")];
    const links = place.querySelectorAll("a[data-activation]");
    const move = (z) => {
      input.value = Math.round(z / STEP) * STEP;
      follow();
    };
    const curves = lesson.curves({ value: find("[data-value-plot]"), slope: find("[data-slope-plot]") }, (z) => {
      move(z);
      input.focus({ preventScroll: true }); // the arrow keys go on from here
    });
    const reading = lesson.reading(find("[data-reading]"));

    const entry = (name, parameters) => ({
      name,
      parameters,
      title: facts[name].title,
      source: facts[name].source,
      colour: facts[name].colour,
      known: lesson.known(name, parameters, facts[name]),
    });

    function draw() {
      const { name, parameters } = lesson.chosen.get();
      choice.value = name;
      for (const link of links) link.toggleAttribute("aria-current", link.dataset.activation === name);
      const chosen = entry(name, parameters);
      const beside = compared.value ? entry(compared.value, {}) : null;
      if (beside?.colour === chosen.colour) beside.colour = "var(--text)"; // nineteen functions share ten colours
      curves.draw(chosen, beside);
      reading.know(chosen, beside);
      [input.min, input.max] = curves.range();
      follow();
    }

    /** The point at which the functions are read. */
    function follow() {
      const z = Number(input.value);
      curves.move(z);
      reading.move(z);
      const { name, parameters } = lesson.chosen.get();
      const { value, slope } = lesson.activations[name];
      const [output, steepness] = [value(z, parameters), slope(z, parameters)].map((v) => lesson.numbers.fixed(v));
      input.setAttribute("aria-valuetext", `${lesson.numbers.fixed(z)}: ${facts[name].title} ${output}, slope ${steepness}`);
    }

    lesson.parameters(find("[data-parameters]"));
    choice.addEventListener("change", () => lesson.chosen.set({ name: choice.value }));
    compared.addEventListener("change", draw);
    input.addEventListener("input", follow);
    for (const link of links) {
      link.addEventListener("click", () => lesson.chosen.set({ name: link.dataset.activation }));
    }
    lesson.chosen.listen(draw);
    draw();
  }

  return { start };
})();
