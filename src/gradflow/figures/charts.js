"use strict";
// currentColor follows the page from light to dark and back without a redraw.
const AXIS = { labelColor: "currentColor", titleColor: "currentColor", domainColor: "currentColor",
  tickColor: "currentColor", gridColor: "currentColor", gridOpacity: 0.14, domainOpacity: 0.5, tickOpacity: 0.5,
  labelFontSize: 11, titleFontSize: 12, titleFontWeight: "normal" };
const CHART_OPTIONS = {
  mode: "vega-lite", renderer: "svg", actions: false, defaultStyle: false,
  tooltip: { disableDefaultStyle: true },
  config: { background: "transparent", font: "system-ui, sans-serif", axis: AXIS,
    header: { labelColor: "currentColor", titleColor: "currentColor" }, legend: { disable: true },
    view: { stroke: null } },
};
