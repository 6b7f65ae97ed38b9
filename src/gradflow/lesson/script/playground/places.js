/** The parts of a playground, empty: a whole one has settings and situations besides. */
lesson.places = (() => {
  "use strict";
  const { element } = lesson;
  const BESIDE = 56; // rem: from this width on, playground.css puts the settings beside the pictures

  /**
   * @param {HTMLElement} root
   * @param {boolean} isCompact
   * @returns {Object<string, HTMLElement>} what is written and drawn into, by name.
   */
  function places(root, isCompact) {
    const made = {
      complaint: element("p", { class: "complaint", role: "alert", hidden: true }),
      about: element("p", { class: "about" }),
      bar: element("div", { class: "bar", role: "group", "aria-label": "Training" }),
      pictures: element("div", { class: "pictures" }),
      verdict: element("div", { class: "verdict", role: "status", hidden: true }),
      said: element("p", { class: "unseen", "aria-live": "polite" }),
    };
    root.classList.add("playground", isCompact ? "compact" : "full");
    if (isCompact) {
      made.open = element("a", { class: "open" }, "Open in the playground");
      root.append(
        made.about,
        made.bar,
        made.complaint,
        made.pictures,
        made.verdict,
        made.said,
        element("p", {}, made.open),
      );
      return made;
    }
    made.situations = element("div", { class: "situations", role: "group", "aria-label": "Situations to try" });
    made.controls = element("div", { class: "choices" });
    made.extras = element("div", { class: "extras" });
    const fold = element("details", { class: "settings" }, element("summary", {}, "Settings"), made.controls);
    fold.open = root.clientWidth >= BESIDE * parseFloat(getComputedStyle(document.documentElement).fontSize);
    const head = element("div", { class: "head" }, made.about, made.extras);
    const stage = element("div", { class: "stage" }, head, made.verdict, made.pictures);
    root.append(made.complaint, made.situations, made.bar, element("div", { class: "bench" }, fold, stage), made.said);
    return made;
  }

  return places;
})();
