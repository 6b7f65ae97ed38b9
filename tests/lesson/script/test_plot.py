"""The plot kit in a real browser: places, ticks, and what follows a change of size."""

import math
from pathlib import Path

import pytest
from browsers import browser_page, needs_browser

import gradflow.lesson
from gradflow.lesson.numbers import MINUS

pytestmark = [pytest.mark.slow, needs_browser]
LESSON = Path(gradflow.lesson.__file__).parent


@pytest.fixture(scope="module")
def page():
    with browser_page(width=800) as page:
        page.set_content("<style>body { margin: 0; font: 16px monospace; }</style><div id='place'></div>")
        page.add_style_tag(content=(LESSON / "template" / "plot.css").read_text(encoding="utf-8"))
        page.add_script_tag(content="const lesson = {};")
        for name in ("numbers", "axis", "plot"):
            page.add_script_tag(content=(LESSON / "script" / "drawing" / f"{name}.js").read_text(encoding="utf-8"))
        page.add_script_tag(
            content="""const made = (options) => {
                 const place = document.getElementById("place");
                 place.style = "width: 500px; --tick-size: 12px";
                 return lesson.plot(place, { title: "a plot", ...options });
               };"""
        )
        yield page


def drawn(page, options, then):
    """The result of `then`, the text of a JavaScript function of a plot."""
    return page.evaluate(f"(options) => ({then})(made(options))", options)


def test_with_equal_axes_a_slope_of_1_rises_by_45_degrees(page):
    options = {"equal": True, "x": {"domain": [-6, 6]}, "y": {"domain": [-2, 3], "label": "f(z)"}}
    right, up = drawn(page, options, "(p) => [p.x(2) - p.x(1), p.y(1) - p.y(2)]")
    assert right == pytest.approx(up)
    assert right > 30


def test_a_line_joins_its_points_and_leaves_out_what_a_log_axis_cannot_show(page):
    options = {"x": {"domain": [0, 4]}, "y": {"domain": [0.01, 1], "log": True}}
    path, x, y = drawn(
        page,
        options,
        """(p) => { p.line("l", [[0, 1], [1, 0.1], [2, 0], [3, 0.01], [4, 1]]);
             return [p.svg.querySelector("[data-key=l] path").getAttribute("d"), [0, 1, 3, 4].map(p.x),
                     [1, 0.1, 0.01].map(p.y)]; }""",
    )
    assert y[1] == pytest.approx((y[0] + y[2]) / 2)  # a tenth is half way between 1 and a hundredth
    starts = [[float(n) for n in part.replace("L", " ").split()] for part in path.split("M")[1:]]
    assert starts == [
        pytest.approx([x[0], y[0], x[1], y[1]], abs=0.01),
        pytest.approx([x[2], y[2], x[3], y[0]], abs=0.01),
    ]


@pytest.mark.parametrize(
    ("axis", "most", "labels"),
    [
        ({"domain": [-6, 6]}, 7, [f"{MINUS}6", f"{MINUS}4", f"{MINUS}2", "0", "2", "4", "6"]),
        ({"domain": [0, 0.7]}, 4, ["0", "0.2", "0.4", "0.6"]),
        ({"domain": [1e-9, 1], "log": True}, 4, ["10⁻⁹", "10⁻⁶", "0.001", "1"]),
        ({"domain": [0, 10], "ticks": [0, 3]}, 4, ["0", "3"]),
    ],
)
def test_ticks_are_round_numbers(page, axis, most, labels):
    found = page.evaluate(
        "([axis, most]) => lesson.axis.ticks(axis, most).map(t => lesson.axis.label(t, axis))", [axis, most]
    )
    assert found == labels


def test_everything_follows_the_width_of_the_box_and_the_size_of_the_text(page):
    options = {"equal": True, "x": {"domain": [0, 2]}, "y": {"domain": [0, 1]}}
    measured = """(p) => { p.points("o", [[1, 0.5], [5, 0.5]], { radius: 3 });
      const look = () => [p.svg.clientWidth, p.svg.querySelectorAll("[data-key=o] path").length,
                          p.svg.querySelector("[data-key=o] path").getAttribute("transform"), p.x(1),
                          getComputedStyle(p.svg.querySelector("text")).fontSize];
      const frames = () => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
      return (async () => { await frames(); const all = [look()];
        for (const style of ["width: 300px; --tick-size: 12px", "width: 300px; --tick-size: 20px"]) {
          document.getElementById("place").style = style; await frames(); all.push(look()); }
        return all; })(); }"""
    wide, narrow, large = drawn(page, options, measured)
    assert [look[0] for look in (wide, narrow, large)] == [500, 300, 300]
    assert [look[1] for look in (wide, narrow, large)] == [1, 1, 1]  # 5 lies outside
    assert wide[3] > narrow[3]
    assert large[3] > narrow[3]  # larger numbers need more room on the left
    assert [look[4] for look in (wide, narrow, large)] == ["12px", "12px", "20px"]
    for _, _, transform, x, _ in (wide, narrow, large):
        assert float(transform.removeprefix("translate(").split()[0]) == pytest.approx(x, abs=0.01)


def test_dragging_tells_the_numbers_under_the_pointer_and_stops_at_the_ends(page):
    options = {"x": {"domain": [-6, 6]}, "y": {"domain": [0, 1]}}
    drawn(
        page,
        options,
        """(p) => { window.heard = []; p.onPointer(({ x }) => heard.push(x)); window.at = p.x; }""",
    )
    x = page.evaluate("[1, 2].map(at)")
    page.mouse.move(x[0], 60)
    page.mouse.down()
    page.mouse.move(x[1], 80)
    page.mouse.move(790, 80)
    page.mouse.up()
    page.mouse.move(x[0], 80)
    assert page.evaluate("heard") == pytest.approx([1, 2, 6], abs=0.02)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.25, "0.25"), (-1.1289, f"{MINUS}1.13"), (0, "0"), (math.inf, "∞"), (7.04e-6, "7.0 · 10⁻⁶"), (1234.6, "1235")],
)
def test_numbers_are_written_as_in_the_sentences(page, value, text):
    assert page.evaluate("(v) => lesson.numbers.short(v)", value).replace("\N{NO-BREAK SPACE}", " ") == text
