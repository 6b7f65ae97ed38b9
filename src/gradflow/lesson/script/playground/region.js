/**
 * The plane as a network sees it: the probability of the second class as colour, the border where it is one half, and
 * the points it was trained on, whose class shows in their shape too.
 */
lesson.region = (() => {
  "use strict";
  const SHAPES = ["circle", "square"]; // of the points of each class
  const STRONGEST = 0.62; // opacity where the network is certain
  const FLAT = 1e-4; // where neighbouring cells differ by less, a network has no border but no opinion
  const TICKS = [-1, 0, 1];

  /**
   * @param {HTMLElement} parent
   * @param {string} label - for screen readers.
   * @returns {{canvas: HTMLCanvasElement, draw: function(?Float32Array, {x: Float64Array, y: Uint8Array}), describe: function(string)}}
   */
  function region(parent, label) {
    const canvas = lesson.element("canvas", { role: "img", "aria-label": label, class: "region" });
    parent.append(canvas);
    const cells = document.createElement("canvas");
    let shown = null; // {probabilities, points}

    function paint() {
      const side = parent.clientWidth;
      if (!shown || !side) return;
      const { context, style } = lesson.canvas.clear(canvas, side, side);
      const size = parseFloat(style.fontSize);
      const colours = [0, 1].map((label) => lesson.canvas.channels(style.getPropertyValue(`--class-${label}`)));
      const [left, bottom] = [2 * size, 1.7 * size];
      const inner = side - left - size * 0.5;
      const top = side - bottom - inner;
      const { reach } = lesson.datasets;
      const at = ([x, y]) => [left + ((x + reach) / (2 * reach)) * inner, top + ((reach - y) / (2 * reach)) * inner];
      if (shown.probabilities) {
        fillCells(shown.probabilities, colours);
        context.imageSmoothingQuality = "high";
        context.drawImage(cells, left, top, inner, inner);
        paintBorder(context, shown.probabilities, at, style.color);
      }
      paintPoints(context, shown.points, at, { inner, colours });
      paintAxes(context, at, { left, top, inner, size, style });
    }

    /** One pixel a cell; row 0 of the probabilities is the lowest. */
    function fillCells(probabilities, colours) {
      const count = Math.round(Math.sqrt(probabilities.length));
      cells.width = cells.height = count;
      const context = cells.getContext("2d");
      const image = context.createImageData(count, count);
      probabilities.forEach((p, k) => {
        const pixel = 4 * ((count - 1 - Math.floor(k / count)) * count + (k % count));
        image.data.set([...colours[p > 0.5 ? 1 : 0], 255 * STRONGEST * Math.min(1, Math.abs(2 * p - 1) ** 0.8)], pixel);
      });
      context.putImageData(image, 0, 0);
    }

    const observer = new ResizeObserver(paint);
    observer.observe(parent);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
    return {
      canvas,
      draw: (probabilities, points) => {
        shown = { probabilities, points };
        paint();
      },
      describe: (text) => canvas.setAttribute("aria-label", text),
    };
  }

  /** Marching squares over the centres of the cells, at one half. */
  function paintBorder(context, probabilities, at, colour) {
    const count = Math.round(Math.sqrt(probabilities.length));
    const { reach } = lesson.datasets;
    const centre = (k) => -reach + ((k + 0.5) * 2 * reach) / count;
    context.beginPath();
    for (let row = 0; row + 1 < count; row++) {
      for (let column = 0; column + 1 < count; column++) {
        const corners = [
          [column, row],
          [column + 1, row],
          [column + 1, row + 1],
          [column, row + 1],
        ];
        const above = corners.map(([i, j]) => probabilities[j * count + i] - 0.5);
        const crossings = [];
        for (let side = 0; side < 4; side++) {
          const [one, two] = [above[side], above[(side + 1) % 4]];
          if (one > 0 === two > 0 || Math.abs(one - two) < FLAT) continue;
          const [[a, b], [c, d]] = [corners[side], corners[(side + 1) % 4]];
          const share = one / (one - two);
          crossings.push(at([centre(a + share * (c - a)), centre(b + share * (d - b))]));
        }
        for (let k = 0; k + 1 < crossings.length; k += 2) {
          context.moveTo(...crossings[k]);
          context.lineTo(...crossings[k + 1]);
        }
      }
    }
    context.strokeStyle = colour;
    context.lineWidth = 2;
    context.lineCap = "round";
    context.stroke();
  }

  function paintPoints(context, { x, y }, at, { inner, colours }) {
    const radius = Math.max(2, Math.min(4, inner / 85));
    context.lineWidth = Math.max(0.7, radius / 4);
    context.strokeStyle = "rgba(255, 255, 255, 0.9)";
    for (let k = 0; k < y.length; k++) {
      const [left, top] = at([x[2 * k], x[2 * k + 1]]);
      context.fillStyle = `rgb(${colours[y[k]]})`;
      context.beginPath();
      if (SHAPES[y[k]] === "circle") context.arc(left, top, radius, 0, 2 * Math.PI);
      else context.rect(left - 0.9 * radius, top - 0.9 * radius, 1.8 * radius, 1.8 * radius);
      context.fill();
      context.stroke();
    }
  }

  function paintAxes(context, at, { left, top, inner, size, style }) {
    context.fillStyle = style.getPropertyValue("--quiet");
    context.strokeStyle = style.getPropertyValue("--line");
    context.lineWidth = 1;
    context.strokeRect(left + 0.5, top + 0.5, inner - 1, inner - 1);
    context.font = `${size}px ${style.fontFamily}`;
    for (const tick of TICKS) {
      const text = String(tick).replace("-", "\u2212");
      const [x, y] = at([tick, tick]);
      context.textAlign = "center";
      context.fillText(text, x, top + inner + 1.2 * size);
      context.textAlign = "right";
      context.fillText(text, left - 0.35 * size, y + 0.35 * size);
    }
  }

  return region;
})();
