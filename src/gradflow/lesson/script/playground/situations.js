/** The presets as buttons, of which the one that is being played is pressed. */
lesson.situations = (() => {
  "use strict";
  const { element } = lesson;

  /**
   * @param {HTMLElement} parent
   * @param {function(string)} onChoose - gets the preset's name.
   * @returns {{show: function(object)}} show(settings).
   */
  return (parent, onChoose) => {
    const buttons = Object.entries(lesson.presets).map(([name, { title }]) =>
      element("button", { type: "button", "data-preset": name, on: { click: () => onChoose(name) } }, title),
    );
    parent.append(...buttons);
    return {
      show: (settings) => {
        const name = lesson.address.presetOf(settings);
        for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.preset === name));
      },
    };
  };
})();
