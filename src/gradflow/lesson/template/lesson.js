"use strict";
// Draws the charts of each figure in the order of the page; its controls set their signals and choose what is shown.
(() => {
  const specs = JSON.parse(document.getElementById("specs").textContent);
  // currentColor follows the page from light to dark and back without drawing anew.
  const axis = { labelColor: "currentColor", titleColor: "currentColor", domainColor: "currentColor",
    tickColor: "currentColor", gridColor: "currentColor", gridOpacity: 0.14, domainOpacity: 0.5, tickOpacity: 0.5,
    labelFontSize: 11, titleFontSize: 12, titleFontWeight: "normal" };
  const options = {
    mode: "vega-lite", renderer: "svg", actions: false, defaultStyle: false,
    tooltip: { disableDefaultStyle: true },
    config: { background: "transparent", font: "system-ui, sans-serif", axis, legend: { disable: true },
      view: { stroke: null } },
  };

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

  async function draw() {
    const figures = [...document.querySelectorAll("[data-figure]")].map((figure) => ({ figure, views: [] }));
    for (const { figure, views } of figures) {
      figure.addEventListener("input", () => follow(figure, views));
      follow(figure, views); // a browser keeps the controls as they were when a page is loaded again
    }
    for (const { figure, views } of figures) {
      for (const place of figure.querySelectorAll(".chart")) {
        views.push((await vegaEmbed(place, specs[place.id], options)).view);
      }
      follow(figure, views);
    }
    document.documentElement.dataset.drawn = Object.keys(specs).length;
  }
  draw();
})();
