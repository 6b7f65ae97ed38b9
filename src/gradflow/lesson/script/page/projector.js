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

  /** What the reader has at the top of the window, below the row of sections; undefined at the end of the page. */
  function reading() {
    const places = document.querySelectorAll("main :is(h2, h3, p, figure, table, .card, .playground)");
    return [...places].find((place) => place.offsetParent && distance(place) > -1);
  }

  const distance = (place) =>
    place.getBoundingClientRect().top - document.querySelector("nav.contents").getBoundingClientRect().bottom;

  /** Everything moves, but what is being read stays where it is. */
  function toggle() {
    const place = window.scrollY > 0 ? reading() : undefined;
    const before = place && distance(place);
    lesson.wishes.remember("projector", !isOn());
    show(!isOn());
    if (place) window.scrollBy({ top: distance(place) - before, behavior: "instant" });
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
