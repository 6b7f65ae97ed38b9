/**
 * The projector mode: everything larger (`html[data-projector]` in the style), by its button, the key P or the address.
 * `lesson:projector` tells drawings that have to follow.
 */
lesson.projector = (() => {
  "use strict";

  const button = () => document.querySelector("[data-projector-button]");
  const isOn = () => document.documentElement.hasAttribute("data-projector");

  function show(isWanted) {
    document.documentElement.toggleAttribute("data-projector", isWanted);
    button().setAttribute("aria-pressed", String(isWanted));
    document.dispatchEvent(new CustomEvent("lesson:projector"));
  }

  function toggle() {
    const section = lesson.navigation.current();
    lesson.wishes.remember("projector", !isOn());
    show(!isOn());
    lesson.navigation.goTo(section, "instant"); // everything has moved
  }

  function start() {
    button().addEventListener("click", toggle);
    document.addEventListener("keydown", (event) => {
      if (event.key.toLowerCase() === "p" && lesson.navigation.isFree(event)) toggle();
    });
    if (lesson.wishes.has("projector")) show(true);
  }

  return { isOn, start };
})();
