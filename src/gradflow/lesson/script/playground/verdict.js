/** What a preset has shown, in the numbers just measured, and a sentence now and then for who cannot see the pictures. */
lesson.verdict = (() => {
  "use strict";
  const { element } = lesson;

  /**
   * Writes what a preset is about to show, or has shown; nothing without a preset.
   *
   * @param {HTMLElement} parent
   * @param {{preset: ?object, first: object, last: object}} played - the looks are left out before it has been played.
   * @param {object} settings
   */
  function show(parent, { preset, first, last }, settings) {
    parent.hidden = !preset;
    parent.className = "verdict";
    if (!preset) return parent.replaceChildren();
    if (!last)
      return parent.replaceChildren(
        element("p", { class: "hint" }, `Play to step ${preset.steps}: what has been measured will stand here.`),
      );
    const judged = lesson.findings.judge(preset.check, first, last);
    const isAsTaught = judged.every(({ holds }) => holds);
    parent.classList.add(isAsTaught ? "taught" : "odd");
    const networks = lesson.networks(settings).map((network) => {
      const lines = judged.filter(({ letter }) => letter === network.key);
      return element("li", {}, lesson.key(network), ": ", ...join(lines.map(line)));
    });
    return parent.replaceChildren(
      element("p", { class: "hint" }, `Measured after ${last.step} steps:`),
      element("ul", {}, ...networks),
      element(
        "p",
        { class: "conclusion" },
        isAsTaught ? preset.teaches : "Not what usually happens: most other seeds show it.",
      ),
    );
  }

  function line({ letter, quantity, value, found, holds, text }) {
    const data = {
      "data-network": letter,
      "data-quantity": quantity,
      "data-value": value,
      "data-found": found,
      "data-holds": holds ? "yes" : "no",
    };
    return element("span", data, text);
  }

  const join = (nodes) => nodes.flatMap((node, index) => (index ? [" · ", node] : [node]));

  /** `Step 400: A · sigmoid loss 0.693, B · ReLU loss 0.040; no dead units.` */
  function sentence({ last }, settings) {
    if (!last) return "";
    const losses = lesson.networks(settings).map(({ name }, index) => {
      const look = last.networks[index];
      return `${name} ${look.diverged ? "has diverged" : `loss ${lesson.numbers.fixed(look.loss, 3)}`}`;
    });
    const dead = last.networks.map(lesson.findings.deadUnits);
    const counts = dead.some(Boolean)
      ? `dead units: ${dead.map((count, index) => `${count} in ${lesson.menu.LETTERS[index]}`).join(", ")}`
      : "no dead units";
    return `Step ${last.step}: ${losses.join(", ")}; ${counts}.`;
  }

  return { sentence, show };
})();
