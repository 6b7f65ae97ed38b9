/**
 * The decision tree, one question at a time. The page holds the whole tree as a nested list, which print and a browser
 * without scripts show; here the reader clicks through it. `#choice-NAME` in the address opens a question or an advice.
 */
lesson.tree = (() => {
  "use strict";
  const BRANCH = ":scope > [data-branch], :scope > [data-leaf]";

  /** @returns {HTMLElement[]} the list items that lead from the root to a question or an advice, in order. */
  function answersTo(node) {
    const items = [];
    for (let at = node.parentElement.closest("[data-answer]"); at; at = at.parentElement.closest("[data-answer]")) {
      items.unshift(at);
    }
    return items;
  }

  function button(text, action, name = "") {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    made.className = name;
    made.addEventListener("click", action);
    return made;
  }

  /** The answers given so far; each leads back to its question. */
  function crumbs(node, show) {
    const nav = document.createElement("nav");
    nav.setAttribute("aria-label", "Your answers so far");
    const list = nav.appendChild(document.createElement("ol"));
    for (const item of answersTo(node)) {
      const asked = item.closest("[data-branch]");
      const back = button(item.dataset.answer, () => show(asked));
      back.setAttribute("aria-label", `Change the answer "${item.dataset.answer}"`);
      list.appendChild(document.createElement("li")).append(back);
    }
    return nav;
  }

  function question(node, show) {
    const group = document.createElement("div");
    const ask = group.appendChild(node.querySelector(":scope > .ask").cloneNode(true));
    const answers = group.appendChild(document.createElement("div"));
    answers.className = "answers";
    for (const item of node.querySelectorAll(":scope > ul > [data-answer]")) {
      answers.append(button(item.dataset.answer, () => show(item.querySelector(BRANCH))));
    }
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", ask.textContent);
    return group;
  }

  function advice(node, show) {
    const copy = node.cloneNode(true);
    copy.removeAttribute("id");
    for (const link of copy.querySelectorAll("[data-code-of]")) {
      link.addEventListener("click", () => lesson.chosen.set({ name: link.dataset.codeOf }));
    }
    for (const onward of copy.querySelectorAll("[data-go]")) {
      onward.addEventListener("click", () => show(document.getElementById(onward.dataset.go)));
    }
    return copy;
  }

  /** Back by one answer, and back to the first question. */
  function steps(node, root, show) {
    const row = document.createElement("p");
    row.className = "steps";
    const last = answersTo(node).pop();
    if (last) row.append(button("Back", () => show(last.closest("[data-branch]")), "quiet"));
    if (last) row.append(" ", button("Start again", () => show(root), "quiet"));
    return row;
  }

  function run(tree) {
    const stage = tree.querySelector("[data-stage]");
    const root = tree.querySelector("[data-whole] > [data-branch]");

    function draw(node) {
      const body = node.matches("[data-leaf]") ? advice(node, show) : question(node, show);
      body.tabIndex = -1; // so that the keyboard and a screen reader go on where the reader is
      stage.replaceChildren(crumbs(node, show), body, steps(node, root, show));
      return body;
    }

    function show(node) {
      draw(node).focus({ preventScroll: true });
    }

    function follow() {
      const named = location.hash.startsWith("#choice-") && document.getElementById(location.hash.slice(1));
      if (!named || !tree.contains(named)) return;
      draw(named);
      stage.scrollIntoView({ block: "start", behavior: "instant" });
    }

    tree.dataset.running = "";
    stage.hidden = false;
    draw(root);
    follow();
    window.addEventListener("hashchange", follow);
    document.addEventListener("click", (event) => {
      // The address does not change when a link is followed a second time.
      if (event.target.closest(`a[href="${location.hash}"]`)) follow();
    });
  }

  function start() {
    for (const tree of document.querySelectorAll("[data-tree]")) run(tree);
  }

  return { start };
})();
