"use strict";
// Draws the panels in the order of the page, and lets the legend's buttons show and hide activations and depths.
(() => {
  const SIGNALS = { activation: "hidden_activations", depth: "hidden_depths" };
  const hidden = { activation: new Set(), depth: new Set() };
  const views = new Map();

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

  async function draw() {
    for (const [id, spec] of Object.entries(JSON.parse(document.getElementById("specs").textContent))) {
      const { view } = await vegaEmbed(document.getElementById(id), spec, CHART_OPTIONS);
      views.set(id, view);
      show(view);
    }
    document.documentElement.dataset.drawn = views.size;
  }

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
