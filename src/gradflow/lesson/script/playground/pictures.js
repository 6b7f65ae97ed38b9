/** All pictures of a playground, drawn from the same look so that they always show the same step. */
lesson.pictures = (() => {
  "use strict";
  const { element } = lesson;
  const KINDS = ["gradients", "slopes", "units", "regions", "loss"]; // in the order of drawing: the first one places others
  const CAPTIONS = {
    regions: [
      "What each network makes of the plane",
      "Colour: the class it predicts, and how surely. The line: its border.",
    ],
    loss: ["Loss", "How wrong the networks are about the points they train on."],
    gradients: [
      "The telephone game",
      "The error's message goes from the output back to layer 1. Thick and strong: loud, a large gradient. Below, its norm.",
    ],
    slopes: ["Low slopes", "Share of each layer's slopes under 5 % of the function's largest, in per cent."],
    units: [
      "Map of units",
      "One square a unit, one block a layer. The darker, the smaller its largest slope; a cross: dead, slope 0 (a millionth " +
        "of the function's largest at most) for every point.",
    ],
  };

  /**
   * @param {HTMLElement} parent
   * @returns {{show: function(object, string[][]), draw: function(object, ?number)}} show(settings, columns) makes them
   *   anew for these networks, of the kinds in the wide column and in the narrow one; draw(run, planned) brings them up
   *   to date, `planned` being the last step if there is one.
   */
  function pictures(parent) {
    let networks = [];
    let points = null;
    let drawers = [];

    function show(settings, columns) {
      const kinds = KINDS.filter((kind) => columns.flat().includes(kind));
      networks = lesson.networks(settings);
      points = lesson.datasets.make(settings);
      const frames = Object.fromEntries(kinds.map((kind) => [kind, frame(kind)]));
      parent.replaceChildren(
        ...columns.map((column) => element("div", { class: "column" }, ...column.map((kind) => frames[kind].figure))),
      );
      parent.classList.toggle("single", networks.length === 1);
      const charts = {};
      const isAlone = columns.some((column) => column.length === 1 && column[0] === "gradients");
      drawers = kinds.map((kind) => MAKERS[kind](frames[kind].body, networks, { points, charts, isAlone }));
    }

    function draw(run, planned) {
      if (!parent.clientWidth || !networks.length) return;
      const looks = run.last?.networks ?? [];
      for (const drawer of drawers) drawer({ looks, rows: run.rows, planned });
    }

    return { show, draw };
  }

  function frame(kind) {
    const [title, reading] = CAPTIONS[kind];
    const body = element("div", { class: "body" });
    const caption = element("figcaption", {}, element("h4", {}, title), element("p", { class: "hint" }, reading));
    return { body, figure: element("figure", { class: `picture ${kind}` }, caption, body) };
  }

  /** Each makes one kind of picture in `body` and returns how to draw it; `charts` holds what others line up with. */
  const MAKERS = {
    regions: (body, networks, { points }) => {
      const made = networks.map((network) => {
        const place = element("div", { class: "plane" });
        const score = element("span", { class: "score" });
        const title = element("p", { class: "whose" }, lesson.key(network), " ", score);
        body.append(element("div", {}, title, place));
        return { ...lesson.region(place, `${network.name}: no prediction yet`), score, network };
      });
      return ({ looks }) =>
        made.forEach(({ draw, describe, score, network }, index) => {
          const look = looks[index];
          draw(look?.region ?? null, points);
          if (!look) return;
          score.textContent = `${lesson.numbers.percent(look.testAccuracy)} of new points right`;
          describe(`${network.name}: the plane coloured by the class that the network predicts; ${score.textContent}`);
        });
    },
    loss: (body, networks) => {
      const curve = lesson.lossCurve(body);
      return ({ rows, planned }) => curve.draw(networks, rows, planned);
    },
    gradients: (body, networks, { charts, isAlone }) => {
      const lanes = networks.map((network) => lesson.message(body, network));
      const place = element("div");
      body.append(place);
      charts.gradients = lesson.gradientChart(place, isAlone ? 340 : undefined); // about as high as the column beside it
      return ({ looks }) => {
        if (!looks.length) return;
        charts.gradients.draw(networks, looks);
        lanes.forEach(({ draw }, index) => draw(looks[index], charts.gradients.plot.x));
      };
    },
    slopes: (body, networks, { charts }) => {
      const bars = lesson.slopeBars(body);
      return ({ looks }) => looks.length && bars.draw(networks, looks, places(body, looks[0], charts));
    },
    units: (body, networks, { charts }) => {
      const maps = networks.map((network) => lesson.unitMap(body, network));
      return ({ looks }) =>
        looks.length && maps.forEach(({ draw }, index) => draw(looks[index], places(body, looks[0], charts)));
    },
  };

  /** Layer -> pixel: in line with the gradient chart, if there is one. */
  function places(body, { units }, { gradients }) {
    if (gradients) return gradients.plot.x;
    return (layer) => ((layer - 0.5) / units.length) * body.clientWidth;
  }

  return pictures;
})();
