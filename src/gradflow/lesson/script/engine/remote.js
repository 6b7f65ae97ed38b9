/**
 * On the page: a player in a worker, which never blocks the page.
 *
 * lesson.worker(settings, onLook, onError) -> { play(until), pause(), step(n), pace(stepsPerSecond), reset(settings),
 * close() }. The worker is made from the text of the script with id "engine", since a page opened from disk may not
 * load one by its address.
 */
lesson.worker = (() => {
  "use strict";

  const start = () => {
    const text = document.getElementById("engine").textContent;
    return new Worker(URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
  };

  /**
   * @param {object} settings see lesson.settings
   * @param {function} onLook gets each look (lesson.session, with `playing`), at most 20 a second; the first at once
   * @param {function} [onError] gets a sentence, e.g. about settings that were refused
   */
  return (settings, onLook, onError = () => {}) => {
    const worker = start();
    let run = 0;
    const send = (...command) => worker.postMessage(command);

    worker.onmessage = ({ data }) => {
      if (data.run !== run) return; // from before the last reset
      if (data.error !== undefined) onError(data.error);
      else onLook(data.look);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      onError(event.message || "This browser does not let the page train in the background; open it in another one.");
    };

    const reset = (changed) => {
      run++;
      send("reset", changed);
    };
    reset(settings);
    return {
      play: (until = Infinity) => send("play", until),
      pause: () => send("pause"),
      step: (steps = 1) => send("step", steps),
      pace: (stepsPerSecond) => send("pace", stepsPerSecond),
      reset,
      close: () => worker.terminate(),
    };
  };
})();
