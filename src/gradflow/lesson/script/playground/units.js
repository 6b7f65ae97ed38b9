/** A map of the hidden units, layer by layer: coloured while they live, dark and crossed out once they are dead. */
lesson.unitMap = (() => {
  "use strict";
  const { DEAD_SLOPE } = lesson.measures;
  const DARK = [16, 18, 22];
  const CROSS_FROM = 7; // pixels: smaller cells are only dark

  /**
   * @param {HTMLElement} parent
   * @param {{name: string, colour: string}} network
   * @returns {{draw: function(object, function(number): number)}} draw(look of the network, layer -> pixel).
   */
  function unitMap(parent, network) {
    const canvas = lesson.element("canvas", {
      role: "img",
      class: "units",
      "aria-label": `Map of units. ${network.name}`,
    });
    const sentence = lesson.element("p", { class: "said" });
    parent.append(canvas, sentence);
    const colour = lesson.canvas.channels(network.colour);

    function draw(look, place) {
      const { units } = look;
      const column = place(2) - place(1);
      const width = parent.clientWidth;
      const shape = arrange(units[0].length, 0.86 * column);
      const size = parseFloat(getComputedStyle(canvas).fontSize);
      const { context, style } = lesson.canvas.clear(canvas, width, Math.ceil(shape.height + 1.5 * size));
      const every = Math.ceil((1.6 * size) / column);
      context.font = `${size}px ${style.fontFamily}`;
      context.textAlign = "center";
      units.forEach((slopes, layer) => {
        const left = place(layer + 1) - shape.width / 2;
        context.fillStyle = style.getPropertyValue("--quiet");
        if (layer % every === 0) context.fillText(String(layer + 1), place(layer + 1), shape.height + 1.2 * size);
        slopes.forEach((slope, unit) => {
          const x = left + (unit % shape.columns) * shape.cell;
          const y = 1 + Math.floor(unit / shape.columns) * shape.cell;
          paint(context, x, y, shape.cell, slope, colour);
        });
      });
      const said = words(look);
      sentence.replaceChildren(lesson.element("b", {}, `${network.name}:`), ` ${said}`);
      canvas.setAttribute("aria-label", `Map of units. ${network.name}: ${said}`);
    }

    return { draw };
  }

  /** Square cells, in as many columns as fill a layer's width at a height that does not change with the depth much. */
  function arrange(count, width) {
    const height = 76; // pixels, aimed at
    const columns = Math.max(1, Math.min(count, Math.round(Math.sqrt((count * width) / height))));
    const rows = Math.ceil(count / columns);
    const cell = Math.max(3, Math.min(width / columns, 1.3 * (height / rows), 20));
    return { columns, cell, width: columns * cell, height: rows * cell };
  }

  function paint(context, x, y, cell, slope, colour) {
    const isDead = slope <= DEAD_SLOPE;
    const share = isDead ? 0 : 0.25 + 0.75 * Math.sqrt(Math.min(1, slope));
    context.fillStyle = `rgb(${colour.map((channel, k) => Math.round(DARK[k] + share * (channel - DARK[k])))})`;
    const gap = cell > 5 ? 1 : 0.5;
    context.fillRect(x + gap / 2, y + gap / 2, cell - gap, cell - gap);
    if (!isDead) return;
    context.strokeStyle = "#9aa4af";
    context.lineWidth = 0.5; // on a dark page nothing else shows where the square is
    context.strokeRect(x + gap, y + gap, cell - 2 * gap, cell - 2 * gap);
    if (cell < CROSS_FROM) return;
    const [low, high] = [0.3 * cell, 0.7 * cell];
    context.lineWidth = 1.2;
    context.beginPath();
    context.moveTo(x + low, y + low);
    context.lineTo(x + high, y + high);
    context.moveTo(x + high, y + low);
    context.lineTo(x + low, y + high);
    context.stroke();
  }

  function words(look) {
    const count = look.units.length * look.units[0].length;
    const dead = lesson.findings.deadUnits(look);
    if (dead === 0) return `all ${count} units are alive.`;
    return dead === count
      ? `all ${count} units are dead.`
      : `${dead} of ${count} units ${dead === 1 ? "is" : "are"} dead.`;
  }

  return unitMap;
})();
