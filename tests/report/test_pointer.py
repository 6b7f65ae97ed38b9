"""What a reader with a mouse sees in the page's charts, in a real browser."""

import pytest
from browsers import browser_page, needs_browser
from forged_runs import typical, write_run

from gradflow.report import write

pytestmark = [pytest.mark.slow, needs_browser]


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """A page on ReLU, which gets 80 and 90 %, and sigmoid, which gets 50 and 60 %, each with 1, 4 and 8 blocks."""
    study = tmp_path_factory.mktemp("outputs") / "made_up"
    for activation, accuracy in (("relu", 0.8), ("sigmoid", 0.5)):
        for blocks in (1, 4, 8):
            for seed in (0, 1):
                run = typical(blocks=blocks, accuracy=accuracy + 0.1 * seed)
                write_run(study, activation=activation, seed=seed, **run)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(write, "save", lambda figure, folder: None)
        file = write.write_report(study)
    with browser_page(width=1400, noise=("error", "warning")) as page:
        page.goto(file.as_uri())
        page.locator("html[data-drawn]").wait_for()
        yield page


def tooltip_at(page, chart, across, down):
    """The rows of the tooltip with the pointer at these shares of a chart's width and height."""
    page.locator(chart).scroll_into_view_if_needed()
    box = page.locator(chart).bounding_box()
    place = box["x"] + across * box["width"], box["y"] + down * box["height"]
    page.mouse.move(place[0] - 3, place[1])
    page.mouse.move(*place)
    tooltip = page.locator("#vg-tooltip-element.visible")
    tooltip.wait_for()
    assert tooltip.bounding_box()["x"] >= 0
    return [tuple(row.split("\t")) for row in tooltip.inner_text().splitlines()]


@pytest.mark.parametrize("down", [0.15, 0.8])
def test_far_from_every_mark_the_nearest_depth_tells_the_values_of_all_lines(opened, down):
    rows = tooltip_at(opened, "#answer-0", 0.55, down)  # a little to the right of 4 blocks
    (place, blocks), *values = rows
    assert (place, blocks) == ("hidden blocks", "4")
    # A half-width of 12.7 standard errors of 5 points reaches beyond what an accuracy can be.
    assert sorted(values) == [("ReLU", "85 % (21.47 to 100), n = 2"), ("sigmoid", "55 % (0 to 100), n = 2")]


def test_a_hidden_activation_is_in_no_chart_and_in_no_tooltip(opened):
    button = opened.locator('.legend button[data-value="sigmoid"]')
    button.click()
    assert [row[0] for row in tooltip_at(opened, "#answer-0", 0.55, 0.8)] == ["hidden blocks", "ReLU"]
    button.click()
    assert len(tooltip_at(opened, "#answer-0", 0.55, 0.8)) == 3


def test_small_multiples_tell_the_epoch_and_the_plot(opened):
    rows = dict(tooltip_at(opened, "#learning_curves-0", 0.5, 0.4))
    assert rows["plot"] == "4 blocks"
    assert {"epoch", "ReLU", "sigmoid"} < set(rows)


def test_each_figure_says_one_sentence_instead_of_its_marks(opened):
    figures = opened.locator("figure .panels")
    assert figures.count() > 4
    for figure in figures.all():
        assert figure.get_attribute("role") == "img"
        assert len(figure.get_attribute("aria-label")) > 20
    assert opened.locator(".chart:not([aria-hidden=true])").count() == 0


def test_narrow_pages_have_fewer_plots_in_a_row(opened):
    wide = opened.locator("#learning_curves-0 svg").bounding_box()
    opened.set_viewport_size({"width": 400, "height": 900})
    height = "document.querySelector('#learning_curves-0 svg').getBoundingClientRect().height"
    opened.wait_for_function(f"{height} > {1.5 * wide['height']}")
    assert opened.evaluate("document.documentElement.scrollWidth") <= 400
