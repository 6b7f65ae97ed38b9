/** The loss of both networks, step by step, beside that of guessing. */
lesson.lossCurve = (() => {
  "use strict";
  const LEAST_STEPS = 100; // the axis begins with these
  const MOST = 1; // nats; a higher loss leaves the picture at its top

  /**
   * @param {HTMLElement} parent
   * @returns {{draw: function(object[], number[][])}} draw(networks, rows): rows of [step, loss of A, loss of B].
   */
  return (parent) => {
    const plot = lesson.plot(parent, {
      title: "Loss by step",
      height: 300,
      x: { domain: [0, LEAST_STEPS], label: "step" },
      y: { domain: [0, MOST], label: "loss (nats)", room: 4 },
    });
    let end = LEAST_STEPS;

    function stretch(step, planned) {
      const wanted = Math.max(planned ?? LEAST_STEPS, step > (planned ?? 0) ? 100 * Math.ceil((1.25 * step) / 100) : 0);
      if (wanted > end || step === 0) {
        end = wanted;
        plot.setAxes({ x: { domain: [0, end] } });
      }
    }

    function draw(networks, rows, planned) {
      stretch(rows.at(-1)?.[0] ?? 0, planned);
      plot.rule("guessing", { y: lesson.findings.GUESSING }, { colour: "var(--quiet)", dash: "2 4", width: 2 });
      plot.text("words", [end, lesson.findings.GUESSING], "guessing: ln 2 = 0.693", {
        anchor: "end",
        dx: -6,
        dy: -7,
        colour: "var(--quiet)",
      });
      lesson.menu.LETTERS.forEach((letter, index) => {
        const network = networks[index];
        if (!network) return [letter, `${letter} now`].forEach(plot.remove);
        const points = rows
          .map((row) => [row[0], Math.min(MOST, row[index + 1])])
          .filter((row) => Number.isFinite(row[1]));
        plot.line(letter, points, { colour: network.colour, dash: network.dash, width: 3 });
        plot.points(`${letter} now`, points.slice(-1), { colour: network.colour, shape: network.shape, radius: 6 });
      });
      const now = networks.map(
        ({ name }, index) => `${name} ${lesson.numbers.fixed(rows.at(-1)?.[index + 1] ?? NaN, 3)}`,
      );
      plot.describe(`Loss by step: at step ${rows.at(-1)?.[0] ?? 0}, ${now.join(", ")}; guessing is 0.693.`);
    }

    return { draw };
  };
})();
