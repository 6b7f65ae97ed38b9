/** A network's name with its line and mark, as in the charts. */
lesson.key = (() => {
  "use strict";
  const { element } = lesson;
  return ({ name, colour, dash, shape }) => {
    const mark =
      shape === "circle"
        ? element("svg:circle", { cx: 15, cy: 6, r: 4.5 })
        : element("svg:rect", { x: 11, y: 2, width: 8, height: 8 });
    mark.style.fill = colour;
    const line = element("svg:path", {
      d: "M1 6H29",
      "stroke-dasharray": dash,
      "stroke-width": 3,
      style: `stroke: ${colour}`,
    });
    const picture = element(
      "svg:svg",
      { width: 30, height: 12, viewBox: "0 0 30 12", "aria-hidden": "true" },
      line,
      mark,
    );
    return element("span", { class: "key" }, picture, element("b", {}, name));
  };
})();
