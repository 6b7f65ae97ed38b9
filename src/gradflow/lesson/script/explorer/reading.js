/**
 * What the explorer says beside its plots, in numbers and words.
 *
 * lesson.reading(place) -> { know(chosen, beside), move(z) }, with functions as in lesson.curves.
 */
lesson.reading = (() => {
  "use strict";
  const { short, fixed } = lesson.numbers;
  const NOTES = {
    prelu: "Learned: the network moves the slope below zero; this is where it starts.",
    rrelu: "Random: in training each entry draws its slope below zero between the dotted lines; afterwards it is their mean.",
  };
  const FACTS = {
    range: (known) => `${short(known.lower)} to ${short(known.upper)}`,
    largest: (known) => short(known.largestSlope),
    centred: (known) => (known.zeroCentred ? "yes" : "no"),
    flat: (known) => lesson.slopeWords.flat(known.flat),
  };

  /** A bar for what is sent and for what is left after each layer; the tallest fills the height. */
  function drawBars(element, slope, colour) {
    const shares = Array.from({ length: lesson.slopeWords.LAYERS + 1 }, (_, layers) => Math.abs(slope) ** layers);
    const most = Math.max(...shares);
    if (element.children.length !== shares.length) {
      element.replaceChildren(...shares.map(() => document.createElement("i")));
    }
    shares.forEach((share, i) => {
      element.children[i].style.height = `${(100 * share) / most}%`;
      element.children[i].style.background = colour;
    });
  }

  /** Leaves equal text alone, which a screen reader would read again. */
  function write(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  return (place) => {
    const find = (selector) => place.querySelector(selector);
    let shown = [];

    function know(chosen, beside) {
      shown = [["chosen", chosen], ["beside", beside]];
      for (const [role, one] of shown) {
        for (const element of place.querySelectorAll(`[data-of="${role}"]`)) element.hidden = !one;
        if (!one) continue;
        for (const element of place.querySelectorAll(`[data-of="${role}"] .swatch`)) element.style.background = one.colour;
        for (const element of place.querySelectorAll(`[data-of="${role}"] .name`)) write(element, one.title);
        for (const [fact, words] of Object.entries(FACTS)) {
          write(find(`[data-fact="${fact}"] [data-of="${role}"]`), words(one.known));
        }
      }
      write(find("[data-source]"), chosen.source);
      write(find("[data-note]"), NOTES[chosen.name] ?? "");
    }

    function move(z) {
      find("[data-z]").textContent = fixed(z);
      for (const [role, one] of shown) {
        if (!one) continue;
        const { value, slope } = lesson.activations[one.name];
        const steepness = slope(z, one.parameters);
        find(`[data-of="${role}"] [data-value]`).textContent = fixed(value(z, one.parameters));
        find(`[data-of="${role}"] [data-slope]`).textContent = fixed(steepness);
        find(`.passing[data-of="${role}"] strong`).textContent = lesson.slopeWords.left(steepness);
        drawBars(find(`.passing[data-of="${role}"] .bars`), steepness, one.colour);
        if (role === "chosen") find("[data-effect]").textContent = lesson.slopeWords.effect(steepness);
      }
    }

    return { know, move };
  };
})();
