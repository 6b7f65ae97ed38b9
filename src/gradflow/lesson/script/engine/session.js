/** An experiment: one or two networks trained in step on the same points, batches and draws; synchronous. */
lesson.session = (() => {
  "use strict";

  /**
   * @param {object} given settings, completed by lesson.settings
   * @param {{ data?: object, weights?: object[][], batches?: number[][], draws?: number[][][] }} [handed] in place of
   *   what the seed draws: points { x, y } to train on; for each network and layer its tensors by name; for each step
   *   its points; for each step and block the random activation's slopes
   * @returns {{ settings: object, data: object, test: object, trainees: object[], step: number, advance: function,
   *   look: function }}
   */
  return (given, handed = {}) => {
    const settings = lesson.settings.complete(given);
    const data = handed.data ?? lesson.datasets.make(settings);
    settings.points = data.y.length;
    const test = lesson.datasets.make({ ...settings, stream: "test" });
    const drawn = lesson.batches(settings);
    const trainees = settings.networks.map((_, place) => lesson.trainee(settings, place, handed.weights?.[place]));
    const evaluations = trainees.map(({ network }) => lesson.evaluation(network, data, test));
    const session = { settings, data, test, trainees, step: 0 };

    /** Whether every network has diverged, so that nothing is left to train. */
    session.over = () => trainees.every((trainee) => trainee.diverged);

    /** Train all networks for some steps; ends early where nothing is left to train. */
    session.advance = (steps) => {
      for (let i = 0; i < steps && !session.over(); i++) {
        const points = handed.batches ? handed.batches[session.step] : drawn();
        for (const trainee of trainees) trainee.step(data, points, handed.draws?.[session.step]);
        session.step++;
      }
    };

    /** Everything that is shown of the networks as they are; see lesson.evaluation and lesson.measures. */
    session.look = () => ({
      step: session.step,
      networks: trainees.map((trainee, place) => {
        const seen = evaluations[place]();
        if (!Number.isFinite(seen.loss)) trainee.diverged = true;
        return { ...seen, diverged: trainee.diverged };
      }),
    });
    return session;
  };
})();
