/**
 * A session that plays: in slices of a few milliseconds, so that commands are heard in between, and at a pace at which
 * a reader sees something happen.
 *
 * lesson.player({ settings, slice, onLook }) -> { play(until), pause(), step(n), pace(stepsPerSecond) }
 */
lesson.player = (() => {
  "use strict";
  const LOOK_EVERY = 50; // milliseconds, at the least
  const LOOK_SHARE = 2; // looking takes at most half of the time
  const PACE = 60; // steps per second

  /**
   * @param {{ settings: object, slice: number, onLook: function }} options slice: milliseconds of training at a time;
   *   onLook: is called with what session.look() says and whether the player is `playing`
   */
  return ({ settings, slice, onLook }) => {
    const session = lesson.session(settings);
    let timer = null;
    let pace = PACE;
    let until = Infinity;
    let start = null; // { time, step } from which the steps that are due are counted
    let nextLook = 0;

    const look = () => {
      const before = performance.now();
      onLook({ ...session.look(), playing: timer !== null });
      nextLook = before + Math.max(LOOK_EVERY, LOOK_SHARE * (performance.now() - before));
    };

    /** Count the steps that are due from now on, or from some milliseconds ago. */
    const restart = (ago = 0) => {
      start = { time: performance.now() - ago, step: session.step };
    };

    const stop = () => {
      clearTimeout(timer);
      timer = null;
      look();
    };

    /** How many steps the pace asks for by now. */
    const due = () =>
      pace === Infinity ? Infinity : start.step + Math.floor(((performance.now() - start.time) * pace) / 1000);

    const play = () => {
      const end = performance.now() + slice;
      const target = Math.min(until, due());
      while (session.step < target && performance.now() < end && !session.over()) session.advance(1);
      if (session.step >= until || session.over()) return stop();
      if (session.step < target) restart(slice); // the processor cannot keep pace; do not let the backlog grow
      if (performance.now() >= nextLook) look();
      const wait = start.time + ((session.step + 1 - start.step) * 1000) / pace - performance.now();
      timer = setTimeout(play, Math.max(0, Math.min(wait, LOOK_EVERY)));
      return undefined;
    };

    look();
    return {
      /** Train until a step, or without an end. */
      play(last = Infinity) {
        until = last;
        restart();
        if (timer === null) timer = setTimeout(play, 0);
      },
      pause() {
        if (timer !== null) stop();
      },
      step(steps) {
        session.advance(steps);
        look();
      },
      pace(stepsPerSecond) {
        pace = stepsPerSecond;
        restart();
      },
      /** Without a further look. */
      close() {
        clearTimeout(timer);
      },
    };
  };
})();
