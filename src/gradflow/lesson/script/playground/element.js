/**
 * Makes an HTML or SVG element: `lesson.element("button", {type: "button", class: "play"}, "Play")`.
 *
 * @param {string} tag - with an `svg:` in front, an element of SVG.
 * @param {object} attributes - null and false leave an attribute out, true sets it without a value; `on` holds listeners
 *   by the name of their event.
 * @param {...(Node|string)} children
 * @returns {Element}
 */
lesson.element = (() => {
  "use strict";
  const SVG = "http://www.w3.org/2000/svg";

  return (tag, { on = {}, ...attributes } = {}, ...children) => {
    const made = tag.startsWith("svg:") ? document.createElementNS(SVG, tag.slice(4)) : document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== null && value !== undefined && value !== false)
        made.setAttribute(name, value === true ? "" : value);
    }
    for (const [event, listener] of Object.entries(on)) made.addEventListener(event, listener);
    made.append(...children);
    return made;
  };
})();
