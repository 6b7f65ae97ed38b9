/** Where the reader is: marks the section in the contents, goes on and back by buttons and by the keys ← and →. */
lesson.navigation = (() => {
  "use strict";

  const sections = () => [...document.querySelectorAll("main > section")];
  const linkTo = (section) => document.querySelector(`nav.contents a[href="#${section.getAttribute("aria-labelledby")}"]`);

  /** The section that covers the upper third of the window; the first one above it all. */
  function current() {
    const line = window.innerHeight / 3;
    return sections().filter((section) => section.getBoundingClientRect().top <= line).at(-1) ?? sections()[0];
  }

  /** Whether a letter or an arrow means the page: it has no modifier, and what has the focus does not use it itself. */
  function isFree(event) {
    const isModified = event.ctrlKey || event.metaKey || event.altKey || event.shiftKey;
    const inside = event.target.closest?.("input, select, textarea, [tabindex], [contenteditable]");
    return !isModified && !event.defaultPrevented && !inside;
  }

  function goTo(section) {
    if (section === sections()[0]) window.scrollTo({ top: 0 });
    else section.scrollIntoView();
  }

  function move(by) {
    const all = sections();
    const next = all[all.indexOf(current()) + by];
    if (next) goTo(next);
  }

  function mark() {
    const here = current();
    for (const section of sections()) {
      const link = linkTo(section);
      if ((section === here) === link.hasAttribute("aria-current")) continue;
      link.toggleAttribute("aria-current", section === here);
      if (section !== here) continue;
      link.setAttribute("aria-current", "true");
      const list = link.closest("ol");
      list.scrollLeft = link.offsetLeft - list.offsetLeft - (list.clientWidth - link.offsetWidth) / 2;
    }
    for (const button of document.querySelectorAll("[data-move]")) {
      button.disabled = !sections()[sections().indexOf(here) + Number(button.dataset.move)];
    }
  }

  /** An address may point into what a question still hides. (`#play&…` is the playground's own.) */
  function follow() {
    const target = document.getElementById(location.hash.slice(1));
    const hiding = target?.closest("[data-after]");
    if (!hiding) return;
    lesson.questions.reveal(hiding.dataset.after);
    target.scrollIntoView({ behavior: "instant" });
  }

  function start() {
    for (const button of document.querySelectorAll("[data-move]")) {
      button.addEventListener("click", () => move(Number(button.dataset.move)));
    }
    document.addEventListener("keydown", (event) => {
      const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (by && isFree(event)) move(by);
    });
    let isWaiting = false;
    const soon = () => {
      if (!isWaiting) requestAnimationFrame(() => ((isWaiting = false), mark()));
      isWaiting = true;
    };
    window.addEventListener("scroll", soon, { passive: true });
    window.addEventListener("resize", soon);
    document.addEventListener("lesson:revealed", soon);
    window.addEventListener("hashchange", follow);
    mark();
    follow();
    // What stands above takes its final height only now. (The decision tree and `#play&…` look after themselves.)
    window.addEventListener("load", () => document.getElementById(location.hash.slice(1))?.scrollIntoView({ behavior: "instant" }));
  }

  return { isFree, start };
})();
