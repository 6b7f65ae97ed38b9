// Plots as SVG, drawn in the pixels of their box, so that their text keeps its size on every screen.
lesson.plot = (() => {
  "use strict";
  const SVG = "http://www.w3.org/2000/svg";
  const MARKS = { // about the origin, as in the figures of the report
    circle: (r) => `M${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`,
    square: (r) => `M${-r} ${-r}H${r}V${r}H${-r}Z`,
    triangle: (r) => `M0 ${-1.2 * r}L${1.2 * r} ${r}H${-1.2 * r}Z`,
    cross: (r) => `M${-r} ${-r}L${r} ${r}M${-r} ${r}L${r} ${-r}`,
  };

  function element(name, attributes, parent) {
    const made = document.createElementNS(SVG, name);
    set(made, attributes);
    parent?.append(made);
    return made;
  }

  function set(node, attributes) {
    for (const [name, value] of Object.entries(attributes)) {
      if (value === undefined || value === null) node.removeAttribute(name);
      else node.setAttribute(name, value);
    }
  }

  const rounded = (pixel) => Math.round(pixel * 100) / 100;

  /** The path through points; a number that has no place on the axes leaves a gap. */
  function path(points, x, y) {
    let d = "";
    let isDrawing = false;
    for (const [a, b] of points) {
      const [left, top] = [x(a), y(b)];
      const isPlace = Number.isFinite(left) && Number.isFinite(top);
      if (isPlace) d += `${isDrawing ? "L" : "M"}${rounded(left)} ${rounded(top)}`;
      isDrawing = isPlace;
    }
    return d;
  }

  const stroke = ({ colour = "currentColor", dash, width = 2, opacity }) => ({
    fill: "none",
    style: `stroke: ${colour}; stroke-width: ${width}px`,
    "stroke-dasharray": dash || null,
    "stroke-linejoin": "round",
    opacity,
  });

  const fill = ({ colour = "currentColor", opacity }) => ({ style: `fill: ${colour}`, opacity });

  /**
   * Draws axes into an element, and keeps them and the marks in shape when its box or its text changes its size.
   *
   * @param {HTMLElement} parent - emptied; the plot is as wide as it.
   * @param {object} options
   * @param {string} options.title - what a screen reader says.
   * @param {number} [options.height] - of the whole plot in pixels; where the axes are `equal` it follows the width.
   * @param {boolean} [options.equal] - whether a unit is as long upwards as sideways.
   * @param {object} options.x - {domain: [low, high], label, log, ticks: number[]}.
   * @param {object} options.y - the same; and `room`, the characters to keep free for its numbers, so that plots
   *   above each other stand in line.
   * @returns {object} See the end of the function.
   */
  function plot(parent, { title, height = 240, equal = false, x: xAxis, y: yAxis }) {
    parent.replaceChildren();
    parent.classList.add("plot");
    const svg = element("svg", { role: "img", "aria-label": title }, parent);
    const grid = element("g", { class: "grid", "aria-hidden": "true" }, svg);
    const inside = element("svg", { "aria-hidden": "true" }, svg); // cuts off the lines that leave the axes
    const above = element("g", { "aria-hidden": "true" }, svg); // whole marks and words, on the edge too
    const letter = document.createElement("span"); // as wide as a letter is high
    letter.className = "letter";
    parent.append(letter);
    const axes = { x: { ...xAxis }, y: { ...yAxis } };
    const marks = new Map(); // key -> {group, draw}
    const scales = { x: null, y: null };
    const x = (value) => scales.x.at(value);
    const y = (value) => scales.y.at(value);

    function layOut() {
      const width = parent.clientWidth;
      if (!width) return; // hidden; the observer calls again
      const size = letter.offsetWidth || 12;
      const middle = (rows) => lesson.axis.ticks(axes.y, rows);
      const characters = axes.y.room ?? Math.max(...middle(5).map((tick) => lesson.axis.label(tick, axes.y).length));
      const left = Math.ceil(size * (0.62 * characters + 0.7));
      const right = Math.ceil(size * 0.9);
      const top = Math.ceil(size * (axes.y.label ? 1.9 : 0.7));
      const bottom = Math.ceil(size * (axes.x.label ? 3.1 : 1.7));
      const across = Math.max(1, width - left - right);
      const span = ({ domain }) => domain[1] - domain[0];
      const down = equal ? (across * span(axes.y)) / span(axes.x) : Math.max(1, height - top - bottom);
      const box = { left, right: left + across, top, bottom: top + down, size };
      set(svg, { width, height: top + down + bottom });
      set(inside, { x: left, y: top, width: across, height: down, viewBox: `${left} ${top} ${across} ${down}` });
      scales.x = lesson.axis.scale(axes.x, box.left, box.right);
      scales.y = lesson.axis.scale(axes.y, box.bottom, box.top);
      drawAxes(box, across / (5 * size), down / (2.2 * size));
      for (const mark of marks.values()) mark.draw();
    }

    function drawAxes(box, columns, rows) {
      const { left, right, top, bottom, size } = box;
      grid.replaceChildren();
      const say = (text, place) => (element("text", place, grid).textContent = text);
      for (const tick of lesson.axis.ticks(axes.x, Math.min(8, Math.max(2, Math.floor(columns))))) {
        const at = rounded(x(tick));
        element("line", { x1: at, x2: at, y1: top, y2: bottom, class: tick === 0 ? "zero" : null }, grid);
        say(lesson.axis.label(tick, axes.x), { x: at, y: bottom + 1.25 * size, "text-anchor": "middle" });
      }
      for (const tick of lesson.axis.ticks(axes.y, Math.min(6, Math.max(2, Math.floor(rows))))) {
        const at = rounded(y(tick));
        element("line", { x1: left, x2: right, y1: at, y2: at, class: tick === 0 ? "zero" : null }, grid);
        say(lesson.axis.label(tick, axes.y), { x: left - 0.4 * size, y: at + 0.35 * size, "text-anchor": "end" });
      }
      if (axes.x.label) {
        say(axes.x.label, { x: (left + right) / 2, y: bottom + 2.6 * size, "text-anchor": "middle", class: "label" });
      }
      if (axes.y.label) say(axes.y.label, { x: Math.max(0, left - 2 * size), y: 0.95 * size, class: "label" });
    }

    /** Makes or replaces the mark of this key; the order of the first calls is the order of painting. */
    function mark(key, paint, layer = inside) {
      const group = marks.get(key)?.group ?? element("g", { "data-key": key }, layer);
      const draw = () => scales.x && paint(group);
      marks.set(key, { group, draw });
      draw();
    }

    /** The only child of a group, made once, so that a moving mark keeps its node. */
    const only = (group, name) => group.firstElementChild ?? element(name, {}, group);

    const isWithin = (axis, value) => value >= axes[axis].domain[0] && value <= axes[axis].domain[1];

    const ends = (axis, values) => {
      const [low, high] = axes[axis].domain;
      return values.map((value) => scales[axis].at(Math.min(high, Math.max(low, value))));
    };

    function onPointer(listen) {
      const tell = (event) => {
        const place = svg.getBoundingClientRect();
        listen({ x: scales.x.back(event.clientX - place.left), y: scales.y.back(event.clientY - place.top), event });
      };
      svg.classList.add("draggable");
      svg.addEventListener("pointerdown", (event) => {
        if (event.button !== 0) return;
        svg.setPointerCapture(event.pointerId);
        tell(event);
      });
      svg.addEventListener("pointermove", (event) => svg.hasPointerCapture(event.pointerId) && tell(event));
    }

    const observer = new ResizeObserver(layOut);
    observer.observe(parent);
    observer.observe(letter);
    layOut();
    return {
      svg,
      x, // number -> pixel
      y,
      /** A line through [[x, y], …]; NaN leaves a gap. Style: colour (CSS), dash ("6 4"), width (pixels), opacity. */
      line: (key, points, style = {}) =>
        mark(key, (group) => set(only(group, "path"), { d: path(points, x, y), ...stroke(style) })),
      /** Marks at those of [[x, y], …] that lie within the axes. Style: shape (circle, square, triangle, cross), radius (pixels), colour, opacity. */
      points: (key, points, style = {}) =>
        mark(key, (group) => {
          const shape = MARKS[style.shape ?? "circle"](style.radius ?? 4);
          const look = style.shape === "cross" ? stroke(style) : fill(style);
          group.replaceChildren();
          for (const [a, b] of points.filter(([a, b]) => isWithin("x", a) && isWithin("y", b))) {
            const place = `translate(${rounded(x(a))} ${rounded(y(b))})`;
            element("path", { d: shape, transform: place, ...look }, group);
          }
        }, above),
      /** A straight line across the plot: {x: number} upright, {y: number} level. */
      rule: (key, place, style = {}) =>
        mark(key, (group) => {
          const { x: [left, right], y: [low, high] } = { x: axes.x.domain, y: axes.y.domain };
          const points = "x" in place ? [[place.x, low], [place.x, high]] : [[left, place.y], [right, place.y]];
          set(only(group, "path"), { d: path(points, x, y), ...stroke({ width: 1, ...style }) });
        }),
      /** A shaded range: {x: [low, high]} or {y: [low, high]}; infinite ends reach the edge. */
      band: (key, range, style = {}) =>
        mark(key, (group) => {
          const [left, right] = ends("x", range.x ?? axes.x.domain);
          const [bottom, top] = ends("y", range.y ?? axes.y.domain);
          const size = { x: left, y: top, width: Math.max(0, right - left), height: Math.max(0, bottom - top) };
          set(only(group, "rect"), { ...size, ...fill({ opacity: 0.15, ...style }) });
        }),
      /** Words at [x, y]. Style: anchor (start, middle, end), colour, dx, dy (pixels). */
      text: (key, [a, b], words, style = {}) =>
        mark(key, (group) => {
          const text = only(group, "text");
          const { dx = 0, dy = 0, anchor = "start" } = style;
          set(text, { x: rounded(x(a) + dx), y: rounded(y(b) + dy), "text-anchor": anchor, ...fill(style) });
          text.textContent = words;
        }, above),
      /** Takes a mark away; nothing happens without one. */
      remove: (key) => {
        marks.get(key)?.group.remove();
        marks.delete(key);
      },
      /** Changes axes: {x: {domain: …}, y: {…}}, what is not named stays. */
      setAxes: (changes) => {
        for (const axis of ["x", "y"]) Object.assign(axes[axis], changes[axis]);
        layOut();
      },
      /** What a screen reader says from now on. */
      describe: (text) => set(svg, { "aria-label": text }),
      /** Calls with {x, y, event}, numbers within the domains, where the pointer presses or drags. */
      onPointer,
    };
  }

  return plot;
})();
