"""A real browser opens the lesson: everything is drawn, the controls work, nothing is fetched."""

import re

import pytest
from browsers import PAGE_PATIENCE_S, browser_page, needs_browser
from page_text import visible_text_sizes

pytestmark = [pytest.mark.slow, needs_browser]


@pytest.fixture
def page(browser, lesson):
    with browser_page(browser=browser, width=1300, noise=("error", "warning")) as page:
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        opened = (lesson / "index.html").as_uri() + "?everything"
        page.goto(opened)
        page.locator("html[data-started]").wait_for()
        yield page
        assert {request for request in requests if not request.startswith("blob:")} == {opened}


def draw(page, where=""):
    """Unfold what is folded, scroll to every chart there, or on the whole page, and wait until it is drawn."""
    page.evaluate("document.querySelectorAll('main details').forEach((folded) => (folded.open = true))")
    for chart in page.locator(f"{where} .chart").all():
        chart.scroll_into_view_if_needed()
        page.locator(f"#{chart.get_attribute('id')}[data-drawn]").wait_for()


def control(page, figure, name):
    return page.locator(f"#{figure} [data-control={name}]")


def move(page, figure, name, position):
    """Set a slider as a drag does."""
    control(page, figure, name).evaluate(
        "(input, value) => { input.value = value; input.dispatchEvent(new Event('input', {bubbles: true})); }",
        str(position),
    )


def rows(page, panel):
    """What a chart shows, once it has drawn its new state: shape, place and colour of all its marks."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    kinds = ("line path", "rect path", "symbol path", "area path", "rule line")
    marks = page.locator(", ".join(f"#{panel} svg .role-mark.mark-{kind}" for kind in kinds))
    names = ["d", "transform", "fill", "stroke", "opacity"]
    return marks.evaluate_all("(marks, names) => marks.map(m => names.map(name => m.getAttribute(name)))", names)


def until(page, condition):
    """Whether the condition came true in time."""
    for _ in range(int(PAGE_PATIENCE_S * 20)):
        if condition():
            return True
        page.wait_for_timeout(50)  # milliseconds
    return False


def remarks(page, figure):
    return page.locator(f"#{figure} .remarks dl:visible").all_inner_texts()


def test_every_chart_is_drawn_and_says_what_it_shows_in_numbers(page):
    draw(page)
    charts = page.locator(".chart")
    assert charts.count() == page.evaluate("Object.keys(lesson.data('specs')).length") > 10
    for chart in charts.all():
        assert chart.locator("svg [role=graphics-symbol], svg .mark-line path, svg .mark-rect path").count() > 0
        assert re.search(r"\d|\b(none|all|half)\b", chart.get_attribute("aria-label"))


def test_a_chart_far_below_is_drawn_when_the_reader_comes_near(browser, lesson):
    with browser_page(browser=browser, width=1300) as page:
        page.goto((lesson / "index.html").as_uri() + "?everything")
        page.locator("html[data-started]").wait_for()
        last = page.locator(".chart").last
        assert last.locator("svg").count() == 0
        last.scroll_into_view_if_needed()
        last.locator("svg").first.wait_for()


def test_print_draws_what_is_still_hidden_in_its_full_width(browser, lesson, tmp_path):
    with browser_page(browser=browser, width=1300) as page:
        page.goto((lesson / "index.html").as_uri())
        page.locator("html[data-started]").wait_for()
        page.pdf(path=tmp_path / "page.pdf")
        charts = page.locator(".chart[data-drawn] svg.marks")
        assert charts.count() > 10
        assert all(width > 100 for width in charts.evaluate_all("all => all.map((svg) => svg.width.baseVal.value)"))
        assert not page.locator("#circles").is_visible()  # the reader has not answered yet


def test_charts_follow_the_projector_mode(page):
    draw(page, "#circles")
    page.get_by_role("button", name="Projector").click()
    draw(page)
    for chart in page.locator(".chart").all():
        chart.scroll_into_view_if_needed()
        ticks = chart.locator("svg .role-axis-label text").first
        assert until(page, lambda ticks=ticks: float(ticks.get_attribute("font-size").removesuffix("px")) >= 16)
    assert [text for text in visible_text_sizes(page) if text[1] < 16] == []


@pytest.mark.parametrize(
    ("figure", "panel", "name", "position"),
    [
        ("circles", "circles-0", "depth", 1),
        ("circles", "circles-1", "depth", 1),
        ("telephone", "telephone-0", "depth", 0),
        ("dead_units", "dead_units-0", "epoch", 0),
        ("dead_units", "dead_units-2", "epoch", 0),
        ("zigzag", "zigzag-0", "step", 5),
        ("zigzag", "zigzag-1", "step", 5),
    ],
)
def test_a_slider_moves_the_picture_and_back(page, figure, panel, name, position):
    draw(page, f"#{figure}")
    before, said = rows(page, panel), remarks(page, figure)
    first = int(control(page, figure, name).input_value())
    move(page, figure, name, position)
    assert until(page, lambda: rows(page, panel) != before)
    assert remarks(page, figure) != said
    assert len(remarks(page, figure)) == 1
    move(page, figure, name, first)
    assert until(page, lambda: rows(page, panel) == before)
    assert remarks(page, figure) == said


def test_choosing_how_a_deep_network_is_made_shows_its_trainings(page):
    draw(page, "#deep")
    before, said = rows(page, "deep-0"), remarks(page, "deep")
    control(page, "deep", "setting").select_option(label="BatchNorm")
    assert until(page, lambda: rows(page, "deep-0") != before)
    assert remarks(page, "deep") != said


def test_the_curves_are_those_that_were_computed(page):
    """The telephone game's bound, read off the drawn marks: 0.25 per layer."""
    draw(page, "#telephone")
    labels = page.locator("#telephone-0 svg .mark-symbol path").evaluate_all(
        "paths => paths.map(path => path.getAttribute('aria-label'))"
    )
    drawn = {label for label in labels if label and "bound" in label}
    assert any("left: 2.44e-4" in label and "layers passed: 6" in label for label in drawn), sorted(drawn)


def test_every_control_is_reached_and_moved_by_keyboard(page):
    draw(page, "#circles")
    visible = [item for item in page.locator("[data-control]").all() if item.is_visible()]
    expected = [item.get_attribute("data-control") for item in visible]
    reached = []
    page.locator("h1").click()
    for _ in range(200):
        page.keyboard.press("Tab")
        name = page.evaluate("document.activeElement.dataset?.control ?? ''")
        reached += [name] if name else []
        if len(reached) == len(expected):
            break
    assert reached == expected
    slider = control(page, "circles", "depth")
    slider.focus()
    before = rows(page, "circles-1")
    page.keyboard.press("ArrowRight")
    assert slider.get_attribute("aria-valuetext") == "3"  # the second depth of a quick build
    assert until(page, lambda: rows(page, "circles-1") != before)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1300])
def test_nothing_sticks_out_and_the_text_is_readable(page, scheme, width):
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    draw(page)
    assert until(page, lambda: page.evaluate("document.documentElement.scrollWidth") <= width)
    for chart in page.locator(".chart svg").all():
        assert until(page, lambda chart=chart: chart.bounding_box()["width"] <= width)
    background, axis = page.evaluate(
        """() => [getComputedStyle(document.body).backgroundColor,
                  getComputedStyle(document.querySelector('#circles-1 svg .role-axis-label text')).fill]"""
    )
    light, dark = (sum(map(int, colour[4:-1].split(","))) for colour in (background, axis))
    assert (light > 600 > 200 > dark) if scheme == "light" else (dark > 600 > 200 > light)
