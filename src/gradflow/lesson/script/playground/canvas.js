/** What the pictures on canvases share. */
lesson.canvas = (() => {
  "use strict";

  /**
   * Prepares a canvas for drawing in the pixels of the page, sharp on every screen.
   *
   * @param {HTMLCanvasElement} canvas
   * @param {number} width - in pixels of the page.
   * @param {number} height
   * @returns {{context: CanvasRenderingContext2D, style: CSSStyleDeclaration}} of the canvas, which is empty now.
   */
  function clear(canvas, width, height) {
    const ratio = window.devicePixelRatio || 1;
    const [across, down] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== across) canvas.width = across;
    if (canvas.height !== down) canvas.height = down;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    return { context, style: getComputedStyle(canvas) };
  }

  /** `#0072b2` -> [0, 114, 178] */
  const channels = (colour) => [1, 3, 5].map((start) => parseInt(colour.trim().slice(start, start + 2), 16));

  return { channels, clear };
})();
