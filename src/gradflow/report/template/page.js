"use strict";
// Draws the panels in the order of the page, and lets the legend's buttons show and hide activations and depths.
(() => {
  const SIGNALS = { activation: "hidden_activations", depth: "hidden_depths" };
  const hidden = { activation: new Set(), depth: new Set() };
  const views = new Map();
  const specs = JSON.parse(document.getElementById("specs").textContent);
  // The page says one sentence for each figure; Vega would describe every mark and axis.
  const QUIET = { ...CHART_OPTIONS.config, aria: false, axis: { ...CHART_OPTIONS.config.axis, aria: false } };
  const OPTIONS = { ...CHART_OPTIONS, config: QUIET };
  const NARROWEST = 130, AXIS = 60, GAP = 14; // pixels: a plot of several with common axes, their axis, between two

  function show(view) {
    for (const [kind, signal] of Object.entries(SIGNALS)) view.signal(signal, [...hidden[kind]]);
    view.runAsync();
  }

  function toggle(button) {
    const { kind, value } = button.dataset;
    const isShown = button.getAttribute("aria-pressed") === "true";
    button.setAttribute("aria-pressed", String(!isShown));
    if (isShown) hidden[kind].add(value); else hidden[kind].delete(value);
    for (const panel of document.querySelectorAll(".panel")) {
      panel.hidden = Object.keys(hidden).some((k) => k in panel.dataset && hidden[k].has(panel.dataset[k]));
    }
    views.forEach(show);
    window.dispatchEvent(new Event("resize")); // a panel drawn while hidden had no width
  }

  // As many of a panel's plots in a row as its box has room for; Vega fits only single plots into their boxes.
  function fitted(spec, box) {
    if (!spec.facet) return spec;
    const columns = Math.max(1, Math.min(spec.columns, Math.floor((box - AXIS) / (NARROWEST + GAP))));
    const width = Math.floor((box - AXIS - GAP * (columns - 1)) / columns);
    // Below a gap in the last row there would be no axis.
    const resolve = spec.facet.sort.length % columns ? { axis: { x: "independent" } } : {};
    return { ...spec, columns, resolve, spacing: GAP, spec: { ...spec.spec, width } };
  }

  const isOfPixels = (id) => specs[id].usermeta.embedOptions.renderer === "canvas";

  // Elements follow the page's colour of text by themselves; pixels have to be told.
  function inked(value, element) {
    const ink = getComputedStyle(element).color;
    return JSON.parse(JSON.stringify(value).replaceAll('"currentColor"', JSON.stringify(ink)));
  }

  async function drawPanel(id) {
    const element = document.getElementById(id);
    views.get(id)?.finalize();
    let [spec, options] = [fitted(specs[id], element.clientWidth), OPTIONS];
    if (isOfPixels(id)) [spec, options] = [inked(spec, element), inked(options, element)];
    const { view } = await vegaEmbed(element, spec, options);
    element.dataset.width = element.clientWidth;
    views.set(id, view);
    show(view);
  }

  function redrawWhatChangedItsWidth() {
    for (const id of views.keys()) {
      const element = document.getElementById(id);
      const isWrong = specs[id].facet && element.clientWidth && element.dataset.width !== String(element.clientWidth);
      if (isWrong) drawPanel(id);
    }
  }

  async function draw() {
    for (const id of Object.keys(specs)) await drawPanel(id);
    document.documentElement.dataset.drawn = views.size;
  }

  let waiting;
  window.addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(redrawWhatChangedItsWidth, 150); // milliseconds
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    for (const id of views.keys()) if (isOfPixels(id)) drawPanel(id);
  });
  // Vega moves its tooltip to the pointer's left where there is no room at its right, even out of the window.
  window.addEventListener("pointermove", () => {
    const tooltip = document.getElementById("vg-tooltip-element");
    if (tooltip && tooltip.getBoundingClientRect().left < 0) tooltip.style.left = "4px";
  });
  for (const button of document.querySelectorAll(".legend button")) {
    button.addEventListener("click", () => toggle(button));
  }
  draw();
})();
