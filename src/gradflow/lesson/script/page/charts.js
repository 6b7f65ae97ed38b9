/**
 * Draws the measured figures' charts, each when it comes near the window; a figure's controls set its charts' signals and
 * choose what is shown.
 */
lesson.charts = (() => {
  "use strict";
  const AHEAD = "600px"; // how far below the window a chart is drawn already

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

  function start() {
    const specs = document.getElementById("specs") ? lesson.data("specs") : {};
    const near = new IntersectionObserver((entries) => {
      for (const entry of entries) if (entry.isIntersecting) draw(entry.target);
    }, { rootMargin: AHEAD });
    const views = new Map();

    async function draw(place) {
      near.unobserve(place);
      const figure = place.closest("[data-figure]");
      const { view } = await vegaEmbed(place, specs[place.id], CHART_OPTIONS);
      views.get(figure).push(view);
      follow(figure, views.get(figure));
      place.dataset.drawn = "";
    }

    for (const figure of document.querySelectorAll("[data-figure]")) {
      views.set(figure, []);
      figure.addEventListener("input", () => follow(figure, views.get(figure)));
      follow(figure, []); // a browser may keep the controls' values when it reloads a page
      for (const place of figure.querySelectorAll(".chart")) near.observe(place);
    }
  }

  return { start };
})();
