"""A real browser draws the measured charts: axes of one scale stay so at every width and size of text."""

import pytest
from browsers import PAGE_PATIENCE_S, browser_page, needs_browser

pytestmark = [pytest.mark.slow, needs_browser]

PLOT = """place => {
  const plot = place.querySelector("svg .background")?.getBBox();
  return plot ? plot.height / plot.width / Number(place.dataset.aspect) : 0;
}"""


@pytest.mark.parametrize(("width", "projector"), [(400, False), (1300, False), (1920, True)])
def test_plots_whose_axes_have_one_scale_keep_it(browser, lesson, width, projector):
    with browser_page(browser=browser, width=width, noise=("error", "warning")) as page:
        page.goto((lesson / "index.html").as_uri())
        if projector:
            page.keyboard.press("p")
        page.evaluate(
            "document.documentElement.dataset.everything = '';"
            "for (const details of document.querySelectorAll('details')) details.open = true;"
        )
        places = page.locator(".chart[data-aspect]")
        assert places.count() >= 4
        for place in places.all():
            place.scroll_into_view_if_needed()
            assert settles(page, place), place.get_attribute("id")


def settles(page, place):
    """Whether height over width came within a hundredth of what the data ask."""
    for _ in range(int(PAGE_PATIENCE_S * 20)):
        if place.evaluate(PLOT) == pytest.approx(1, abs=0.01):
            return True
        page.wait_for_timeout(50)  # milliseconds
    return False
