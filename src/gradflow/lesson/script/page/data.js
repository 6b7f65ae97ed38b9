/**
 * What the page was built with, by the id of its JSON element: `lesson.data("facts")`.
 *
 * @param {string} id
 * @returns {any} parsed anew at each call.
 * @throws {Error} if the page has no such element.
 */
lesson.data = (() => {
  "use strict";
  return (id) => {
    const element = document.getElementById(id);
    if (!element) throw new Error(`the page holds no data called "${id}"`);
    return JSON.parse(element.textContent);
  };
})();
