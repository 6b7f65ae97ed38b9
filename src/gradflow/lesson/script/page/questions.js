/**
 * Questions: what follows one in its section is hidden (by the style, on a screen only) until the reader has answered it,
 * or asks to be shown. The switch in the header, `?everything` or `#everything` shows all there is.
 */
lesson.questions = (() => {
  "use strict";

  const say = (name) => document.dispatchEvent(new CustomEvent("lesson:revealed", { detail: { question: name } }));

  /** @param {string} name - of a question. */
  function reveal(name) {
    for (const element of document.querySelectorAll(`[data-after="${name}"]`)) element.dataset.revealed = "";
    document.querySelector(`[data-question="${name}"] [data-skip]`).hidden = true;
    say(name);
  }

  function choose(question, input) {
    const isRight = input.value === question.dataset.answer;
    for (const option of question.querySelectorAll(".option")) {
      option.classList.toggle("right", option.querySelector("input").value === question.dataset.answer);
      option.classList.toggle("wrong", option.contains(input) && !isRight);
    }
    const verdict = question.querySelector(".reply .verdict");
    verdict.textContent = isRight ? "Right." : "Not quite.";
    verdict.classList.toggle("good", isRight);
    verdict.classList.toggle("bad", !isRight);
    reveal(question.dataset.question);
  }

  function showEverything(isWanted) {
    document.documentElement.toggleAttribute("data-everything", isWanted);
    say(null);
  }

  /** Sentences about a run in the page appear once it has been played. */
  function showPlayed({ detail }) {
    for (const element of document.querySelectorAll(`[data-played="${detail.preset}"]`)) element.hidden = false;
    for (const element of document.querySelectorAll(`[data-unplayed="${detail.preset}"]`)) element.hidden = true;
  }

  function start() {
    for (const question of document.querySelectorAll("[data-question]")) {
      question.addEventListener("change", (event) => {
        if (event.target.name === `question-${question.dataset.question}`) choose(question, event.target);
      });
      question.querySelector("[data-skip]").addEventListener("click", () => reveal(question.dataset.question));
    }
    document.addEventListener("lesson:played", showPlayed);
    const everything = document.querySelector("[data-everything-switch]");
    everything.addEventListener("change", () => {
      lesson.wishes.remember("everything", everything.checked);
      showEverything(everything.checked);
    });
    everything.checked = lesson.wishes.has("everything");
    if (everything.checked) showEverything(true);
  }

  return { reveal, start };
})();
