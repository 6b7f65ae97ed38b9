/**
 * Questions: what follows one in its section is hidden (by the style, on a screen only) until the reader has answered it,
 * or asks to be shown. `#everything` in the address, or the header's switch, shows everything.
 */
lesson.questions = (() => {
  "use strict";
  const KEY = "gradflow-lesson-everything";

  /** @param {string} name of a question; says what it reveals and lets others draw it. */
  function reveal(name) {
    for (const element of document.querySelectorAll(`[data-after="${name}"]`)) element.dataset.revealed = "";
    document.dispatchEvent(new CustomEvent("lesson:revealed", { detail: { question: name } }));
  }

  function choose(question, input) {
    const isRight = input.value === question.dataset.answer;
    for (const label of question.querySelectorAll("label.option")) {
      const value = label.querySelector("input").value;
      label.classList.toggle("right", value === question.dataset.answer);
      label.classList.toggle("wrong", label.contains(input) && !isRight);
    }
    const verdict = question.querySelector(".verdict");
    verdict.textContent = isRight ? "Right." : "Not quite.";
    verdict.className = `verdict ${isRight ? "good" : "bad"}`;
    reveal(question.dataset.question);
  }

  function showEverything(isWanted) {
    document.documentElement.toggleAttribute("data-everything", isWanted);
    if (isWanted) sessionStorage.setItem(KEY, "yes"); else sessionStorage.removeItem(KEY);
    document.dispatchEvent(new CustomEvent("lesson:revealed", { detail: { question: null } }));
  }

  function start() {
    for (const question of document.querySelectorAll("[data-question]")) {
      question.addEventListener("change", (event) => choose(question, event.target));
      question.querySelector("[data-skip]").addEventListener("click", () => reveal(question.dataset.question));
    }
    const everything = document.querySelector("[data-control-everything]");
    everything.addEventListener("change", () => showEverything(everything.checked));
    everything.checked = location.hash === "#everything" || sessionStorage.getItem(KEY) === "yes";
    if (everything.checked) showEverything(true);
  }

  return { start, reveal };
})();
