/**
 * The quiz: a click answers a question, the first answer counts, and the score is told in words. Answers are hidden on a
 * screen only (by the style) until their question has been answered.
 */
lesson.quiz = (() => {
  "use strict";
  // The least share of right answers for which each sentence is said.
  const ENDS = [
    [1, "You could teach this."],
    [0.8, "You know how gradients live and die."],
    [0.5, "You have the idea; follow the links of what went wrong."],
    [0, "Walk through the lesson once more: everything here stands on this page."],
  ];

  /** @returns {string} how it went so far, or at the end. */
  function told(right, answered, all) {
    if (answered === 0) return "No question answered yet.";
    if (answered < all) return `${right} of ${answered} right so far, ${all - answered} to go.`;
    return `${right} of ${all} right. ${ENDS.find(([share]) => right / all >= share)[1]}`;
  }

  function answer(item, chosen) {
    if ("answered" in item.dataset) return;
    const options = [...item.querySelectorAll(".option")];
    const right = options[Number(item.dataset.answer)];
    item.dataset.answered = chosen === right ? "right" : "wrong";
    for (const option of options) option.setAttribute("aria-disabled", "true"); // not disabled: the focus stays
    chosen.setAttribute("aria-pressed", "true");
    chosen.classList.add("wrong");
    right.classList.remove("wrong");
    right.classList.add("right");
    const verdict = item.querySelector(".verdict");
    verdict.textContent = chosen === right ? "Right." : "Not quite.";
    verdict.className = `verdict ${chosen === right ? "good" : "bad"}`;
  }

  function forget(item) {
    delete item.dataset.answered;
    item.querySelector(".verdict").textContent = "";
    for (const option of item.querySelectorAll(".option")) {
      option.classList.remove("right", "wrong");
      option.removeAttribute("aria-disabled");
      option.removeAttribute("aria-pressed");
    }
  }

  function run(quiz) {
    const items = [...quiz.querySelectorAll("[data-item]")];
    const again = quiz.querySelector("[data-again]");

    function count() {
      const answered = items.filter((item) => "answered" in item.dataset);
      const right = answered.filter((item) => item.dataset.answered === "right");
      quiz.querySelector("[data-score]").textContent = told(right.length, answered.length, items.length);
      again.hidden = answered.length === 0;
    }

    for (const item of items) {
      item.addEventListener("click", (event) => {
        const option = event.target.closest(".option");
        if (!option) return;
        answer(item, option);
        count();
      });
    }
    again.addEventListener("click", () => {
      items.forEach(forget);
      count();
      items[0].querySelector(".option").focus();
    });
  }

  function start() {
    for (const quiz of document.querySelectorAll("[data-quiz]")) run(quiz);
  }

  return { start, told };
})();
