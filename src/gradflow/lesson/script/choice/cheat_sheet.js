/**
 * Prints the cheat sheet alone. The browser's own command prints the whole lesson, also after the reader has come back
 * from the printing.
 */
lesson.cheatSheet = (() => {
  "use strict";

  // What the reader does next. Browsers differ in when they say that they have printed, and a pointer that lies still seems
  // to them to move when the page is laid out for print.
  const BACK = ["focus", "pointerdown", "keydown", "wheel"];

  function forget() {
    delete document.documentElement.dataset.print;
    for (const event of BACK) window.removeEventListener(event, forget);
  }

  function print() {
    document.documentElement.dataset.print = "sheet"; // the style then prints nothing else
    window.print();
    for (const event of BACK) window.addEventListener(event, forget);
  }

  function start() {
    for (const button of document.querySelectorAll("[data-print-sheet]")) button.addEventListener("click", print);
  }

  return { start };
})();
