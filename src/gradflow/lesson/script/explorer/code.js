/** The code to copy: the listing of the chosen activation and framework, with the parameters of the explorer. */
lesson.code = (() => {
  "use strict";
  const CONFIRMED = 2000; // milliseconds

  async function copy(listing, button) {
    const code = listing.querySelector("code");
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(code); // without a clipboard, ready for the keyboard
      button.textContent = "Selected: press Ctrl+C";
    }
    setTimeout(() => { button.textContent = "Copy"; }, CONFIRMED);
  }

  /** As it is typed: no more digits than are read, and the keyboard's minus sign. */
  const typed = (value) => String(Number(value.toPrecision(4)));

  function start() {
    for (const place of document.querySelectorAll("[data-code]")) {
      const choice = place.querySelector("[data-choice]");

      /** maxout has code but no curve: the explorer stays where it is. */
      const isDrawn = () => choice.value in lesson.activations;

      function follow() {
        const { name, parameters } = lesson.chosen.get();
        const framework = place.querySelector("[data-framework-choice]:checked").value;
        for (const listing of place.querySelectorAll("[data-listing]")) {
          const { activation, framework: its } = listing.dataset;
          listing.toggleAttribute("data-shown", activation === choice.value && its === framework);
          if (activation !== name) continue;
          const all = lesson.activations[name].complete(parameters);
          for (const span of listing.querySelectorAll("[data-parameter]")) span.textContent = typed(all[span.dataset.parameter]);
        }
      }

      choice.addEventListener("change", () => (isDrawn() ? lesson.chosen.set({ name: choice.value }) : follow()));
      place.addEventListener("change", (event) => event.target !== choice && follow());
      lesson.chosen.listen(({ name }) => {
        choice.value = name;
        follow();
      });
      for (const listing of place.querySelectorAll("[data-listing]")) {
        const button = listing.querySelector("button");
        button.addEventListener("click", () => copy(listing, button));
      }
      choice.value = lesson.chosen.get().name;
      follow();
    }
  }

  return { start };
})();
