/**
 * Draws the measured figures' charts, each when it comes near the window; a figure's controls set its charts' signals and
 * choose what is shown.
 */
lesson.charts = (() => {
  "use strict";
  const AHEAD = "600px"; // how far outside the window a chart is drawn already
  const LARGER = 1.4; // times as high for a projector

  function stateOf(figure) {
    const state = {};
    for (const input of figure.querySelectorAll("[data-control]")) {
      state[input.dataset.control] = JSON.parse(input.dataset.values)[Number(input.value)];
    }
    return state;
  }

  function follow(figure, views) {
    const state = stateOf(figure);
    for (const input of figure.querySelectorAll("input[data-control]")) {
      const text = JSON.parse(input.dataset.texts)[Number(input.value)];
      input.setAttribute("aria-valuetext", text);
      input.closest(".control").querySelector("output").textContent = text;
    }
    for (const element of figure.querySelectorAll("[data-when]")) {
      element.hidden = !Object.entries(JSON.parse(element.dataset.when)).every(([name, value]) => state[name] === value);
    }
    for (const view of views) {
      for (const [name, value] of Object.entries(state)) view.signal(name, value);
      view.runAsync();
    }
  }

  /**
   * Makes a plot as high as its width asks, where both axes have the same scale; Vega-Lite fits only the width to a box.
   * @param {object} view of Vega
   * @param {number} aspect height over width
   */
  async function keepAspect(view, aspect) {
    await view.runAsync();
    const height = Math.round(aspect * view.width());
    if (height !== view.height()) await view.height(height).runAsync();
  }

  /** The size of a chart's text on this page: as the style has it for every plot. */
  function options() {
    const style = getComputedStyle(document.documentElement);
    const [ticks, labels] = ["--tick-size", "--label-size"].map((name) => parseFloat(style.getPropertyValue(name)));
    const axis = { ...CHART_OPTIONS.config.axis, labelFontSize: ticks, titleFontSize: labels };
    const text = { fontSize: ticks };
    return { ...CHART_OPTIONS, config: { ...CHART_OPTIONS.config, axis, text, header: { labelFontSize: labels } } };
  }

  function start() {
    const specs = document.getElementById("specs") ? lesson.data("specs") : {};
    const near = new IntersectionObserver((entries) => {
      for (const entry of entries) if (entry.isIntersecting) draw(entry.target);
    }, { rootMargin: AHEAD });
    const drawn = new Map(); // a chart's place -> its view
    const boxes = new ResizeObserver((entries) => {
      for (const { target } of entries) keepAspect(drawn.get(target), Number(target.dataset.aspect));
    });

    const viewsOf = (figure) => [...figure.querySelectorAll(".chart")].map((place) => drawn.get(place)).filter(Boolean);

    async function draw(place) {
      near.unobserve(place);
      drawn.get(place)?.finalize();
      const spec = specs[place.id];
      const height = lesson.projector.isOn() ? spec.height * LARGER : spec.height;
      const { view } = await vegaEmbed(place, { ...spec, height }, options());
      drawn.set(place, view);
      const figure = place.closest("[data-figure]");
      if (place.dataset.aspect) {
        await keepAspect(view, Number(place.dataset.aspect));
        boxes.observe(place);
      }
      follow(figure, viewsOf(figure));
      place.dataset.drawn = "";
    }

    for (const figure of document.querySelectorAll("[data-figure]")) {
      figure.addEventListener("input", () => follow(figure, viewsOf(figure)));
      follow(figure, []); // a browser may keep the controls' values when it reloads a page
      for (const place of figure.querySelectorAll(".chart")) near.observe(place);
    }
    document.addEventListener("lesson:projector", () => {
      for (const place of drawn.keys()) near.observe(place); // observing tells at once whether it is near
    });
    // Paper shows what questions hide; a chart takes its width from its box, so the boxes have to be there already.
    const print = (isOn) => document.documentElement.toggleAttribute("data-printing", isOn);
    window.addEventListener("beforeprint", () => {
      print(true);
      for (const place of document.querySelectorAll(".chart")) if (!drawn.has(place) && place.clientWidth) draw(place);
    });
    window.addEventListener("afterprint", () => print(false));
  }

  return { start };
})();
