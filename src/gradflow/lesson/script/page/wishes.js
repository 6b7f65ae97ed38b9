/**
 * What a reader wants of the page, such as `projector` or `everything`: asked for in its address (`?projector`, `#projector`)
 * or by a button, and remembered until the tab is closed.
 */
lesson.wishes = (() => {
  "use strict";
  const PREFIX = "gradflow-lesson-";

  /** A browser may refuse storage to a page from disk; the wish then lasts until the page is left. */
  function storage() {
    try {
      return window.sessionStorage;
    } catch {
      return null;
    }
  }

  const asked = () => [...new URLSearchParams(location.search).keys(), ...location.hash.slice(1).split("&")];

  /** @param {string} name */
  const has = (name) => asked().includes(name) || storage()?.getItem(PREFIX + name) === "yes";

  function remember(name, isWanted) {
    if (isWanted) storage()?.setItem(PREFIX + name, "yes");
    else storage()?.removeItem(PREFIX + name);
  }

  return { has, remember };
})();
