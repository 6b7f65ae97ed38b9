/** Fills `<output data-live="preset" data-quantity="a.loss">` wherever they stand, once that preset has been played. */
lesson.live = (() => {
  "use strict";

  /** @param {{detail: {preset: string, first: object, last: object}}} event - `lesson:played`. */
  function fill({ detail }) {
    for (const output of document.querySelectorAll(`output[data-live="${detail.preset}"]`)) {
      output.value = lesson.findings.quote(output.dataset.quantity, detail);
      output.dataset.filled = "";
    }
  }

  return { start: () => document.addEventListener("lesson:played", fill) };
})();
