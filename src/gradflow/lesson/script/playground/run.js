/**
 * One run of a playground's networks: the worker that trains them, while one is needed, and what has been seen of them.
 *
 * A worker that has rested is ended. When it is needed again, another one takes the same steps once more, from the
 * same seed, and so comes to the same networks.
 */
lesson.run = (() => {
  "use strict";
  const REST = 30_000; // milliseconds without play, after which the worker ends
  const MOST_ROWS = 600; // of the loss curve; beyond these every other one is left out

  /**
   * @param {object} settings
   * @param {{onLook: function, onError: function(string)}} listeners - onLook is called after every look.
   * @returns {object} the run: first, last (looks, null before there is one), rows (of [step, losses…]), isPlaying,
   *   and play(until), pause(), step(), restart(settings), pace(stepsPerSecond), wake(), close().
   */
  return (settings, { onLook, onError }) => {
    let worker = null;
    let pace = null;
    let awaited = 0; // the step that a new worker is on its way to
    let rest = null; // timer
    const run = { first: null, last: null, rows: [], isPlaying: false };

    function hear(look) {
      if (look.step < awaited && !look.networks.every(({ diverged }) => diverged)) return;
      awaited = 0;
      run.isPlaying = look.playing;
      run.first ??= look;
      if (run.last?.step !== look.step || !run.last)
        run.rows.push([look.step, ...look.networks.map(({ loss }) => loss)]);
      if (run.rows.length > MOST_ROWS) run.rows = run.rows.filter((_, k) => k % 2 === 0 || k === run.rows.length - 1);
      run.last = look;
      if (!look.playing) restLater();
      onLook();
    }

    function wake() {
      clearTimeout(rest);
      if (worker) return;
      worker = lesson.worker(settings, hear, onError);
      if (pace) worker.pace(pace);
      awaited = run.last?.step ?? 0;
      if (awaited > 0) worker.step(awaited);
      restLater();
    }

    function close() {
      clearTimeout(rest);
      worker?.close();
      worker = null;
      run.isPlaying = false;
    }

    function restLater() {
      clearTimeout(rest);
      rest = setTimeout(() => !run.isPlaying && close(), REST);
    }

    return Object.assign(run, {
      wake,
      close,
      play: (until) => {
        wake();
        clearTimeout(rest);
        run.isPlaying = true;
        worker.play(until);
      },
      pause: () => {
        run.isPlaying = false;
        worker?.pause();
      },
      step: () => {
        wake();
        worker.step(1);
      },
      restart: (changed = settings) => {
        settings = changed;
        Object.assign(run, { first: null, last: null, rows: [], isPlaying: false });
        awaited = 0;
        if (!worker) return wake();
        return worker.reset(settings);
      },
      pace: (stepsPerSecond) => {
        pace = stepsPerSecond;
        worker?.pace(pace);
      },
    });
  };
})();
