"use strict";
// Draws each figure's charts in page order; its controls set the charts' signals and choose what is shown.
(() => {
  const specs = JSON.parse(document.getElementById("specs").textContent);

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
      follow(figure, views); // a browser may keep the controls' values when it reloads a page
    }
    for (const { figure, views } of figures) {
      for (const place of figure.querySelectorAll(".chart")) {
        views.push((await vegaEmbed(place, specs[place.id], CHART_OPTIONS)).view);
      }
      follow(figure, views);
    }
    document.documentElement.dataset.drawn = Object.keys(specs).length;
  }
  draw();
})();
