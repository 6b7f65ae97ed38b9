"""The size of text on a page, in SVG too."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

_SIZES = """() => {
  const sizes = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.data.trim();
    if (!text || !element.checkVisibility() || element.closest("script, style, option, .unseen")) continue;
    const svg = element.closest("svg[viewBox]");
    const scale = svg ? svg.getBoundingClientRect().width / svg.viewBox.baseVal.width : 1;
    sizes.push([text.slice(0, 40), parseFloat(getComputedStyle(element).fontSize) * scale]);
  }
  return sizes;
}"""


def visible_text_sizes(page: "Page") -> list[tuple[str, float]]:
    """The beginning of each visible text, and its size in pixels of the screen."""
    return [(text, size) for text, size in page.evaluate(_SIZES)]
