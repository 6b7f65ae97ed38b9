/** Starts every part of the page that has a `start()`, in the order of the scripts. */
(() => {
  "use strict";
  for (const part of Object.values(lesson)) part.start?.();
  document.documentElement.dataset.started = "";
})();
