/**
 * Calls back when an element comes into sight or leaves it: by scrolling, by being hidden, or with its tab.
 *
 * @param {HTMLElement} node
 * @param {{onShow: function, onHide: function}} listeners
 */
lesson.visibility = (() => {
  "use strict";
  return (node, { onShow, onHide }) => {
    let isInView = false;
    let isSeen = false;
    const tell = () => {
      const now = isInView && !document.hidden;
      if (now !== isSeen) {
        isSeen = now;
        (now ? onShow : onHide)();
      }
    };
    new IntersectionObserver((entries) => {
      isInView = entries.at(-1).isIntersecting;
      tell();
    }).observe(node);
    document.addEventListener("visibilitychange", tell);
  };
})();
