/**
 * The telephone game as a picture: the error's message leaves the output layer, on the right, and travels back from layer
 * to layer. How thick and how strongly coloured the ribbon is, says how loud it still is: its gradient norm as a
 * part of the output layer's, on a log scale.
 */
lesson.message = (() => {
  "use strict";
  const DECADES = 6; // quieter than this part of the output's: as good as silent
  const FAINTEST = 0.05; // opacity of what is silent, so that one sees where something is missing
  const LOUDEST = 1.3; // what grows on its way is thicker than at the output, up to this
  const { element } = lesson;
  let made = 0; // gradients of SVG need ids

  /** 1 at the output, 0 from a millionth on; above 1 where the gradient has grown. */
  function loudness({ gradientNorms }) {
    const head = gradientNorms.at(-1);
    return [...gradientNorms].map((norm) => {
      if (!(head > 0) || !(norm > 0)) return 0;
      return Math.min(LOUDEST, Math.max(0, 1 + Math.log10(norm / head) / DECADES));
    });
  }

  /**
   * @param {HTMLElement} parent
   * @param {{name: string, letter: string, colour: string}} network
   * @returns {{draw: function(object, function(number): number)}} draw(look of the network, layer -> pixel).
   */
  function lane(parent, network) {
    const svg = element("svg:svg", { role: "img", class: "message", "aria-label": network.name });
    const sentence = element("p", { class: "said" });
    parent.append(element("div", { class: "lane" }, svg), sentence);
    const id = `message-${(made += 1)}`;

    function draw(look, place) {
      const loud = loudness(look);
      const layers = loud.length;
      const size = parseFloat(getComputedStyle(svg).fontSize);
      const step = place(2) - place(1);
      const height = 3.7 * size;
      const middle = 1.35 * size;
      const radius = Math.min(0.95 * size, 0.42 * step);
      const x = (layer) => place(layer + 1);
      svg.setAttribute("width", parent.clientWidth);
      svg.setAttribute("height", height);
      svg.setAttribute("aria-label", `${network.name}: ${words(look)}`);
      svg.replaceChildren(shades(id, loud, x, network.colour), ribbon(id, loud, x, middle, 1.05 * size));
      for (let layer = layers - 1; layer >= 0; layer--) {
        if (layer > 0 && step > 1.6 * size) svg.append(arrow((x(layer) + x(layer - 1)) / 2, middle, 0.28 * size));
        svg.append(node(x(layer), middle, radius, loud[layer], network.colour));
        const every = Math.ceil((1.5 * size) / step);
        const isOutput = layer === layers - 1;
        if (isOutput || (layer % every === 0 && (layers - 1 - layer) * step > 3.8 * size)) {
          svg.append(
            label(
              x(layer),
              height - 0.15 * size,
              isOutput ? "output" : String(layer + 1),
              isOutput ? "end" : "middle",
              isOutput ? radius : 0,
            ),
          );
        }
      }
      sentence.replaceChildren(element("b", {}, `${network.name}:`), ` ${words(look)}`);
    }

    return { draw };
  }

  function words(look) {
    const ratio = lesson.findings.message(look);
    if (ratio >= lesson.words.GROWN) return `layer 1 now hears the message ${lesson.words.times(ratio)} as loud as the output.`;
    const share = lesson.words.share(ratio);
    if (share === "all") return "layer 1 now hears the message as loud as the output.";
    return `layer 1 now hears ${share} of the output's message: ${lesson.words.analogy(ratio)}.`;
  }

  /** The ribbon's colour, as opaque at each layer as the message is loud there. */
  function shades(id, loud, x, colour) {
    const last = loud.length - 1;
    const stops = loud.map((value, layer) =>
      element("svg:stop", {
        offset: (x(layer) - x(0)) / (x(last) - x(0)),
        style: `stop-color: ${colour}; stop-opacity: ${opacity(value)}`,
      }),
    );
    return element("svg:linearGradient", { id, gradientUnits: "userSpaceOnUse", x1: x(0), x2: x(last) }, ...stops);
  }

  const opacity = (value) => Math.max(FAINTEST, Math.min(1, value)) * 0.75;

  function ribbon(id, loud, x, middle, half) {
    const edge = (sign) =>
      loud.map((value, layer) => `${x(layer).toFixed(1)} ${(middle + sign * Math.max(0.6, half * value)).toFixed(1)}`);
    return element("svg:path", { d: `M${edge(-1).join("L")}L${edge(1).reverse().join("L")}Z`, fill: `url(#${id})` });
  }

  /** A dot with the page behind it, so that the ribbon does not shine through where it is faint. */
  function node(x, y, radius, loud, colour) {
    return element(
      "svg:g",
      {},
      element("svg:circle", { cx: x, cy: y, r: radius, class: "node" }),
      element("svg:circle", {
        cx: x,
        cy: y,
        r: radius * 0.72,
        style: `fill: ${colour}; opacity: ${Math.max(FAINTEST, Math.min(1, loud))}`,
      }),
    );
  }

  const arrow = (x, y, half) =>
    element("svg:path", {
      d: `M${x + half} ${y - 1.6 * half}L${x - half} ${y}L${x + half} ${y + 1.6 * half}`,
      class: "arrow",
    });

  function label(x, y, text, anchor, dx) {
    return element("svg:text", { x: x + dx, y, "text-anchor": anchor }, text);
  }

  return lane;
})();
