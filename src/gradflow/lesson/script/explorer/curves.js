/**
 * The explorer's two plots above each other: the function with its tangent, and the slope, at the same z.
 *
 * lesson.curves(places, onMove) -> { draw(chosen, beside), move(z), range() }. `places` are the elements {value, slope};
 * onMove(z) is called while the reader drags. A function is { name, title, colour, parameters, known }; `beside` may be
 * null.
 */
lesson.curves = (() => {
  "use strict";
  const NEAR = { x: [-6, 6], y: [-3, 3] };
  const FAR = { x: [-5, 10], y: [-1, 6.5] }; // of the same shape; shows where ReLU6 ends
  const SPACING = 0.02; // of points, in z
  const SLOPES = [-0.25, 1.25]; // what the slope's axis shows at least
  const TANGENT = 1.6; // half its length, in units of z
  const DASH = "7 5"; // of the function to compare with

  const at = ({ name, parameters }) => ({
    value: (z) => lesson.activations[name].value(z, parameters),
    slope: (z) => lesson.activations[name].slope(z, parameters),
  });

  function points(f, [low, high]) {
    const count = Math.round((high - low) / SPACING);
    return Array.from({ length: count + 1 }, (_, i) => low + i * SPACING).map((z) => [z, f(z)]);
  }

  return (places, onMove) => {
    const z = { domain: NEAR.x, label: "z, the weighted sum" };
    const y = { domain: NEAR.y, label: "output f(z)", room: 4 };
    const values = lesson.plot(places.value, { title: "", equal: true, x: { ...z, label: "" }, y });
    const slopes = lesson.plot(places.slope, {
      title: "", height: 210, x: z, y: { domain: SLOPES, label: "slope f′(z)", room: 4 },
    });
    let shown = { chosen: null, beside: null, view: NEAR };

    for (const plot of [values, slopes]) plot.onPointer(({ x }) => onMove(x));

    function draw(chosen, beside) {
      const both = [chosen, beside].filter(Boolean);
      const view = both.some(({ name }) => name === "relu6") ? FAR : NEAR;
      const largest = Math.max(...both.map(({ known }) => known.largestSlope));
      shown = { chosen, beside, view };
      values.setAxes({ x: { domain: view.x }, y: { domain: view.y } });
      slopes.setAxes({ x: { domain: view.x }, y: { domain: [SLOPES[0], Math.max(SLOPES[1], 1.1 * largest)] } });
      shade(chosen.known.flat, view);
      for (const [plot, of] of [[values, "value"], [slopes, "slope"]]) {
        if (beside) plot.line("beside", points(at(beside)[of], view.x), { colour: beside.colour, width: 2, dash: DASH });
        else plot.remove("beside");
        plot.line("chosen", points(at(chosen)[of], view.x), { colour: chosen.colour, width: 3 });
      }
      drawDraws(chosen, view);
    }

    /** The flat ranges, with a word where there is room for it. */
    function shade(ranges, { x, y }) {
      for (let i = 0; i < 3; i++) {
        const range = ranges[i] ?? [x[0], x[0]];
        for (const plot of [values, slopes]) plot.band(`flat ${i}`, { x: range }, { colour: "var(--quiet)", opacity: 0.16 });
        const [low, high] = [Math.max(x[0], range[0]), Math.min(x[1], range[1])];
        const word = high - low > 1 ? "flat" : "";
        values.text(`flat ${i} word`, [(low + high) / 2, y[0]], word, { anchor: "middle", dy: -8, colour: "var(--quiet)" });
      }
    }

    /** The slopes between which a random one is drawn while the network trains. */
    function drawDraws({ name, parameters, colour }, { x }) {
      const p = lesson.activations[name].complete(parameters);
      for (const key of ["lower", "upper"]) {
        if (name === "rrelu") values.line(key, [[x[0], p[key] * x[0]], [0, 0]], { colour, width: 1, dash: "2 3" });
        else values.remove(key);
      }
    }

    function move(z) {
      const { chosen, beside, view } = shown;
      const [value, slope] = [at(chosen).value(z), at(chosen).slope(z)];
      const half = TANGENT / Math.hypot(1, slope);
      for (const plot of [values, slopes]) plot.rule("z", { x: z }, { colour: "var(--quiet)", width: 1 });
      values.line("tangent", [[z - half, value - half * slope], [z + half, value + half * slope]], {
        colour: "var(--text)", width: 2,
      });
      mark(values, "value", z);
      mark(slopes, "slope", z);
      const isLeft = z > view.x[1] - 2.5; // keeps the word inside
      const isAbove = slope < 0 || value < view.y[0] + 1;
      values.text("slope", [z, value], `slope ${lesson.numbers.fixed(slope)}`, {
        colour: "var(--text)", dx: isLeft ? -10 : 10, dy: isAbove ? -12 : 24, anchor: isLeft ? "end" : "start",
      });
      describe(z);
    }

    function mark(plot, of, z) {
      const { chosen, beside } = shown;
      if (beside) plot.points("beside at z", [[z, at(beside)[of](z)]], { colour: beside.colour, radius: 5 });
      else plot.remove("beside at z");
      plot.points("chosen at z", [[z, at(chosen)[of](z)]], { colour: chosen.colour, radius: 7 });
    }

    function describe(z) {
      const both = [shown.chosen, shown.beside].filter(Boolean);
      const say = (of) => both.map((one) => `${one.title} ${lesson.numbers.fixed(at(one)[of](z))}`).join(", ");
      values.describe(`Curves of the output. At z = ${lesson.numbers.fixed(z)}: ${say("value")}.`);
      slopes.describe(`Curves of the slope. At z = ${lesson.numbers.fixed(z)}: ${say("slope")}.`);
    }

    return { draw, move, range: () => shown.view.x };
  };
})();
