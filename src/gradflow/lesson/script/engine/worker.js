/**
 * Inside a worker: commands [name, ...arguments] drive a player; looks and errors are posted as { run, look } and
 * { run, error }, where `run` is the number of resets before, so that the page can tell old from new.
 */
lesson.serve = (() => {
  "use strict";
  const SLICE = 20; // milliseconds

  /** @param {function} post sends a message to the page */
  const serve = (post) => {
    let player = null;
    let run = 0;
    let pace = null;

    const reset = (settings) => {
      player?.close();
      player = null; // if the settings are refused, there is nothing to play
      run++;
      const mine = run;
      player = lesson.player({ settings, slice: SLICE, onLook: (look) => post({ run: mine, look }) });
      if (pace !== null) player.pace(pace);
    };

    return ([name, ...values]) => {
      try {
        if (name === "reset") return reset(...values);
        if (name === "pace") [pace] = values;
        player?.[name](...values);
      } catch (error) {
        post({ run, error: error.message });
      }
      return undefined;
    };
  };

  if (typeof document === "undefined" && typeof self !== "undefined") {
    const hear = serve((message) => self.postMessage(message));
    self.onmessage = ({ data }) => hear(data);
  }
  return serve;
})();
