/** The buttons that drive a playground, with the step and the losses beside them. */
lesson.buttons = (() => {
  "use strict";
  const { element } = lesson;
  const ICONS = {
    play: "M3 1.5v13l11-6.5z",
    pause: "M3 1.5h4v13H3zM9 1.5h4v13H9z",
    step: "M2 1.5v13l8-6.5zM11 1.5h3v13h-3z",
    reset: "M8 2.5V0L3.5 3.5 8 7V4.5a4.5 4.5 0 1 1-4.5 4.5h-2A6.5 6.5 0 1 0 8 2.5z",
  };
  const PACES = { 6: "slow", 60: "normal", 10000: "as fast as it goes" }; // steps per second
  const USUAL = 60;

  const icon = (name) =>
    element(
      "svg:svg",
      { width: "1em", height: "1em", viewBox: "0 0 16 16", "aria-hidden": "true", fill: "currentColor" },
      element("svg:path", { d: ICONS[name] }),
    );
  const button = (name, text, listener, attributes = {}) =>
    element(
      "button",
      { type: "button", "data-do": name, on: { click: listener }, ...attributes },
      ...(name in ICONS ? [icon(name)] : []),
      text,
    );

  /**
   * @param {HTMLElement} parent
   * @param {{toggle: function, step: function, reset: function}} on - what the buttons do.
   * @returns {{show: function(object, object)}} show(run, settings).
   */
  function bar(parent, on) {
    const play = button("play", "Play", on.toggle, { class: "primary" });
    const counter = element("span", { class: "number step" });
    const losses = element("span", { class: "losses" });
    const buttons = [play, button("step", "One step", on.step), button("reset", "Reset", on.reset)];
    parent.append(...buttons, element("span", { class: "now", "aria-hidden": "true" }, counter, losses));
    let isPlaying = null;

    function show(run, settings) {
      if (isPlaying !== run.isPlaying) {
        isPlaying = run.isPlaying;
        play.replaceChildren(icon(isPlaying ? "pause" : "play"), isPlaying ? "Pause" : "Play");
      }
      counter.textContent = `step ${run.last?.step ?? 0}`;
      losses.replaceChildren(
        ...lesson
          .networks(settings)
          .map(({ letter, colour }, index) =>
            element(
              "span",
              { style: `--own: ${colour}` },
              `${letter} loss `,
              element("b", { class: "number" }, loss(run.last?.networks[index])),
            ),
          ),
      );
    }

    return { show };
  }

  /**
   * What a whole playground has besides.
   *
   * @param {HTMLElement} parent
   * @param {{seed: function, pace: function(number), link: function(): string}} on - pace gets steps per second, link
   *   returns the address.
   */
  function extras(parent, on) {
    parent.append(button("seed", "New seed", on.seed), pace(on.pace), link(on.link));
  }

  const loss = (look) => (!look ? "\u2013" : look.diverged ? "diverged" : lesson.numbers.fixed(look.loss, 3));

  function pace(listener) {
    const choices = Object.entries(PACES).map(([value, text]) =>
      element("option", { value, selected: Number(value) === USUAL }, text),
    );
    const select = element(
      "select",
      { "data-do": "pace", on: { change: () => listener(Number(select.value)) } },
      ...choices,
    );
    return element("label", { class: "pace" }, "Speed ", select);
  }

  /** Copies the address; where a browser does not let it, shows it to be copied by hand. */
  function link(address) {
    const field = element("input", {
      type: "text",
      readonly: true,
      hidden: true,
      "aria-label": "Link to this situation",
    });
    const copy = button("link", "Copy link", async () => {
      try {
        await navigator.clipboard.writeText(address());
        copy.textContent = "Copied";
        setTimeout(() => (copy.textContent = "Copy link"), 2000);
      } catch {
        field.hidden = false;
        field.value = address();
        field.select();
      }
    });
    return element("span", { class: "link" }, copy, field);
  }

  return { bar, extras };
})();
