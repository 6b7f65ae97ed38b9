"use strict";
// Copies commands, says which tables are wider than the page and on which side there is more, opens all for printing.
(() => {
  async function copy(button) {
    const text = button.previousElementSibling;
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(text); // without a clipboard, ready for the keyboard
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  }

  function look(scroll) {
    const { scrollLeft, clientWidth, scrollWidth } = scroll;
    const frame = scroll.parentElement;
    frame.previousElementSibling.hidden = scrollWidth <= clientWidth + 1;
    frame.classList.toggle("more-left", scrollLeft > 1);
    frame.classList.toggle("more-right", scrollLeft + clientWidth < scrollWidth - 1);
  }

  for (const button of document.querySelectorAll("button.copy")) {
    button.hidden = false;
    button.addEventListener("click", () => copy(button));
  }
  const sizes = new ResizeObserver((entries) => entries.forEach(({ target }) => look(target)));
  for (const scroll of document.querySelectorAll(".scroll")) {
    scroll.addEventListener("scroll", () => look(scroll), { passive: true });
    sizes.observe(scroll); // also when the section around it is unfolded
  }
  window.addEventListener("beforeprint", () => {
    for (const one of document.querySelectorAll("details")) one.open = true;
  });
})();
