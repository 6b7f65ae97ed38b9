"""The explorer, the table and the code in a real browser, against the package's own numbers."""

import math
import re

import pytest
import torch
from browsers import browser_page, needs_browser

from gradflow.activations import slope
from gradflow.activations.slopes import evaluate
from gradflow.lesson.experiments.explorer import MATRIX_PRODUCT, known
from gradflow.lesson.experiments.families import MAXOUT, by_name, families
from gradflow.lesson.facts import facts
from gradflow.lesson.numbers import MINUS
from gradflow.lesson.page import page as whole_page
from gradflow.lesson.section import Section
from gradflow.lesson.sections import activation_table, code, explorer

pytestmark = [pytest.mark.slow, needs_browser]
FAMILIES = by_name([family for family in families() if family.name != MAXOUT])
COSTS = dict.fromkeys([*FAMILIES, MAXOUT, MATRIX_PRODUCT], 1.0)
CASES = [
    *((name, {}) for name in FAMILIES),
    ("leaky_relu", {"negative_slope": 0.0}),
    ("leaky_relu", {"negative_slope": 0.2}),
    ("prelu", {"init": 0.03}),
    ("rrelu", {"lower": 0.0, "upper": 0.06}),
    ("elu", {"alpha": 0.1}),
    ("elu", {"alpha": 1.7}),
    ("elu", {"alpha": 3.0}),
    ("celu", {"alpha": 0.5}),
    ("softplus", {"beta": 3.0}),
    ("hardtanh", {"min_val": -0.5, "max_val": 2.0}),
]


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    file = tmp_path_factory.mktemp("explorer") / "index.html"
    functions = Section("functions", "All functions", [], [activation_table.table(COSTS), code.code()])
    sections = [explorer.section(COSTS), functions]
    file.write_text(whole_page(sections, {}, {"facts": facts()}), encoding="utf-8")
    with browser_page(width=1300, noise=("error", "warning")) as page:
        page.goto(file.as_uri())
        page.locator("html[data-started]").wait_for()
        yield page


@pytest.fixture(autouse=True)
def as_at_first(page):
    page.evaluate("lesson.chosen.set({ name: 'sigmoid', parameters: {} })")
    page.locator("[data-compared]").select_option("relu")
    place(page, 1)


def place(page, z):
    page.locator("[data-place]").fill(str(z))


def row(page, role):
    """The value and the slope that the reader sees."""
    cells = page.locator(f".values [data-of={role}] td").all_inner_texts()
    return [float(cell.replace(MINUS, "-")) for cell in cells]


def said(page, fact, role="chosen"):
    return page.locator(f"[data-fact={fact}] [data-of={role}]").inner_text()


@pytest.mark.parametrize(("name", "parameters"), CASES)
def test_facts_follow_the_parameters_as_the_package_computes_them(page, name, parameters):
    usual = facts()["activations"][name]
    found = page.evaluate(
        """([name, parameters, usual]) => {
             const known = lesson.known(name, parameters, usual);
             const finite = (v) => (Number.isFinite(v) ? v : String(v));
             return { ...known, lower: finite(known.lower), upper: finite(known.upper),
                      flat: known.flat.map((range) => range.map(finite)) };
           }""",
        [name, parameters, usual],
    )
    expected = known(FAMILIES[name].make(**parameters))
    assert float(found["lower"]) == pytest.approx(expected.lower, abs=1e-8)
    assert float(found["upper"]) == pytest.approx(expected.upper, abs=1e-8)
    assert found["largestSlope"] == pytest.approx(expected.largest_slope, rel=1e-6)
    assert found["zeroCentred"] == expected.zero_centred
    flat = [[float(end) for end in ends] for ends in found["flat"]]
    assert flat == [pytest.approx(list(ends), abs=1e-6) for ends in expected.flat]


@pytest.mark.parametrize(("slope", "words"), [
    (0.25, "0.95 mm"),  # 0.25 ** 10 is 9.5e-7, of a million millimetres
    (0.5, "98 cm"),  # 1/1024 of 1000 m
    (0.9, "350 m"),
    (1.0, "the whole kilometre"),
    (1.1, "2.6 km"),
    (3.0, "more than once around the Earth"),  # 59,049 km
    (0.0, "nothing"),
    (0.15, "less than the width of a hair"),  # 5.8e-9: 5.8 micrometres
    (0.06, "less than the width of a virus"),  # 6.0e-13: 0.6 nanometres
    (0.01, "less than an atom"),  # 1e-20
    (-0.5, "98 cm"),
])  # fmt: skip
def test_ten_slopes_in_words(page, slope, words):
    assert page.evaluate("(slope) => lesson.slopeWords.left(slope)", slope).replace("\N{NO-BREAK SPACE}", " ") == words


def test_value_slope_and_facts_are_shown_where_z_is(page):
    place(page, -2)
    s = 1 / (1 + math.exp(2))
    assert row(page, "chosen") == [round(s, 2), round(s * (1 - s), 2)]
    assert row(page, "beside") == [0, 0]
    assert said(page, "range") == "0 to 1"
    assert said(page, "flat") == "|z| > 4.36"
    assert said(page, "flat", "beside") == "z < 0"
    assert page.locator("[data-place]").get_attribute("aria-valuetext") == f"{MINUS}2.00: sigmoid 0.12, slope 0.10"


def test_the_tangent_touches_the_curve_with_its_slope(page):
    place(page, 2)
    d, unit = page.evaluate(
        """() => {
             const plot = document.querySelector("[data-value-plot] svg");
             const box = plot.querySelector("svg").viewBox.baseVal;
             return [plot.querySelector("[data-key=tangent] path").getAttribute("d"), box.width / 12];
           }"""
    )
    (x0, y0), (x1, y1) = (map(float, point.split()) for point in d[1:].split("L"))
    s = 1 / (1 + math.exp(-2))
    assert -(y1 - y0) / (x1 - x0) == pytest.approx(s * (1 - s), abs=2e-3)  # equal axes: the slope on the screen
    assert math.hypot(x1 - x0, y1 - y0) == pytest.approx(2 * 1.6 * unit, rel=0.01)


def test_dragging_moves_z_and_the_arrow_keys_go_on_from_there(page):
    plot = page.locator("[data-value-plot] > svg")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + 60)
    page.mouse.up()
    z = float(page.locator("[data-place]").input_value())
    assert 2 < z < 3.5
    page.keyboard.press("ArrowLeft")
    assert float(page.locator("[data-place]").input_value()) == pytest.approx(z - 0.05)
    assert row(page, "beside")[0] == pytest.approx(z - 0.05, abs=0.006)  # ReLU


def test_a_parameter_changes_curve_facts_and_code_and_can_be_put_back(page):
    page.locator("[data-explorer] [data-choice]").select_option("leaky_relu")
    place(page, -2)
    curve = page.locator("[data-value-plot] [data-key=chosen] path")
    before = curve.get_attribute("d")
    assert (row(page, "chosen"), said(page, "flat")) == ([-0.02, 0.01], "z < 0")
    page.locator("[data-parameter=negative_slope]").first.fill("0.3")
    assert (row(page, "chosen"), said(page, "flat")) == ([-0.6, 0.3], "nowhere")
    assert curve.get_attribute("d") != before
    shown = page.locator("[data-listing][data-shown] code")
    assert "nn.LeakyReLU(0.3)" in shown.inner_text()
    assert "a=0.3" in shown.inner_text()
    page.get_by_role("button", name="Usual values").click()
    assert row(page, "chosen") == [-0.02, 0.01]
    assert "nn.LeakyReLU(0.01)" in shown.inner_text()


def test_the_smallest_slope_of_a_random_one_cannot_pass_its_largest(page):
    page.locator("[data-explorer] [data-choice]").select_option("rrelu")
    page.locator("input[data-parameter=lower]").fill("0.8")
    assert page.evaluate("lesson.chosen.get().parameters") == {"lower": 0.8, "upper": 0.8}
    assert page.locator("input[data-parameter=upper]").input_value() == "0.8"


def test_a_small_picture_opens_its_function_in_the_explorer(page):
    page.locator(".gallery a[data-activation=mish]").click()
    assert page.locator("[data-explorer] [data-choice]").input_value() == "mish"
    assert said(page, "largest") == "1.09"
    assert page.locator(".gallery [aria-current]").inner_text() == "Mish"


def test_comparing_with_nothing_takes_the_second_function_away(page):
    page.locator("[data-compared]").select_option(label="nothing")
    assert page.locator("[data-key=beside]").count() == 0
    assert not page.locator(".values [data-of=beside]").is_visible()


@pytest.mark.parametrize("name", FAMILIES)
def test_every_curve_is_the_package_s_function_and_slope(page, name):
    page.locator("[data-explorer] [data-choice]").select_option(name)
    module = FAMILIES[name].make()
    for z in (-2.6, 0.7):
        place(page, z)
        at = torch.tensor([z], dtype=torch.float64)
        with torch.no_grad():
            expected = [float(evaluate(module, at)), float(slope(module, at))]
        assert row(page, "chosen") == pytest.approx(expected, abs=0.00501)


def test_the_code_can_be_read_for_every_activation_in_both_frameworks(page):
    shown = page.locator("[data-listing][data-shown]")
    for framework, text in (("torch", "nn.Sigmoid()"), ("keras", 'activation="sigmoid"')):
        page.locator(f"[data-framework-choice][value={framework}]").check()
        assert shown.count() == 1
        assert text in shown.locator("code").inner_text()
    page.locator("[data-code] [data-choice]").select_option("maxout")  # has no curve
    assert "keras.layers.Maximum" in shown.locator("code").inner_text()
    assert page.locator("[data-explorer] [data-choice]").input_value() == "sigmoid"
    page.locator("[data-framework-choice][value=torch]").check()
    assert "torch.maximum" in shown.locator("code").inner_text()


def test_copying_confirms(page):
    page.locator("[data-listing][data-shown] button").click()
    page.locator("[data-listing][data-shown] button", has_text=re.compile("Copied|Selected: press Ctrl")).wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "projector"), [(380, False), (1300, False), (1920, True)])
def test_nothing_sticks_out_and_ticks_are_large_for_a_projector(page, scheme, width, projector):
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    page.evaluate("(is) => document.documentElement.toggleAttribute('data-projector', is)", projector)
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    size, left = page.evaluate(
        """() => [parseFloat(getComputedStyle(document.querySelector(".plot text")).fontSize),
                  Math.min(...[...document.querySelectorAll(".plot text")].map(t => t.getBoundingClientRect().left))]"""
    )
    assert size >= (16 if projector else 12)
    assert left >= 0
