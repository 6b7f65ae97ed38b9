"""The command: what it writes, how it refuses wrong input, and that a seed fixes the numbers."""

import re
from dataclasses import replace

import pandas as pd
import pytest

from gradflow.lesson import marks
from gradflow.lesson.__main__ import main
from gradflow.lesson.experiments import centred_network, dead_units, telephone
from gradflow.lesson.experiments.effort import QUICK
from gradflow.lesson.numbers import percent, short
from gradflow.lesson.page import page
from gradflow.lesson.section import Control, Figure, Panel

FIGURES = {
    *("circles", "telephone", "dead_units", "signs", "zigzag", "centring"),
    "deep",
    *(f"mistake_{name}" for name in ("weights", "deep_sigmoid", "output", "loss", "rate")),
}
SECTIONS = [
    *("nonlinearity", "explorer", "telephone", "dead-units", "zero-centred", "mistakes", "choice"),
    *("playground", "quiz", "cheat-sheet"),
]
LARGEST = 3_000_000  # bytes


@pytest.mark.slow
def test_the_build_writes_the_page_and_every_picture(lesson):
    assert {file.name for file in lesson.iterdir()} == {"index.html", "figures"}
    pictures = {file.name for file in (lesson / "figures").iterdir()}
    assert pictures == {f"{name}.{kind}" for name in FIGURES for kind in ("png", "svg")}
    for name in FIGURES:
        assert (lesson / "figures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert (lesson / "figures" / f"{name}.svg").read_text().startswith("<svg")


@pytest.fixture(params=["lesson", "live_only"])
def built(request):
    """The page of either form, without what stands in scripts and styles."""
    text = (request.getfixturevalue(request.param) / "index.html").read_text()
    return re.sub(r"(<(script|style)[^>]*>).*?</\2>", r"\1", text, flags=re.DOTALL)


@pytest.mark.slow
def test_the_page_needs_nothing_but_itself(built):
    assert not re.search(r"<(script|link|img|iframe)[^>]*\b(src|href)=", built)
    files = set(re.findall(r'href="(?!#)([^"]*)"', built))
    assert files in (set(), {f"figures/{name}.{kind}" for name in FIGURES for kind in ("png", "svg")})


@pytest.mark.slow
def test_every_place_of_the_page_has_a_name_of_its_own_and_every_link_a_place(built):
    places = re.findall(r'\bid="([^"]*)"', built)
    assert len(places) == len(set(places))
    links = set(re.findall(r'href="#([^"]*)"', built))
    assert {f"section-{name}" for name in SECTIONS} <= links
    assert {link for link in links if not link.startswith("play")} <= set(places)


@pytest.mark.slow
def test_the_sections_come_in_the_order_of_a_student(built):
    assert re.findall(r'<h2 id="section-([^"]*)"', built) == SECTIONS


@pytest.mark.slow
def test_a_full_page_is_of_moderate_size(lesson):
    assert (lesson / "index.html").stat().st_size < LARGEST


@pytest.mark.slow
def test_the_page_tells_what_was_computed(lesson):
    text = (lesson / "index.html").read_text()
    for computed in ("0.25⁶ = 0.000244", "1.46 nats", "With sigmoid, 100\N{NO-BREAK SPACE}%"):
        assert computed in text


def test_a_page_without_sections_has_the_style_of_a_report_and_how_it_was_made():
    text = page([], {"seeds": "0 to 2"}, {})
    assert "--raised:" in text  # a colour of the report's style
    assert "<dt>seeds</dt>\n<dd>0 to 2</dd>" in text


def test_an_output_that_is_a_file_is_refused_before_anything_is_computed(tmp_path, capsys):
    file = tmp_path / "taken"
    file.write_text("mine")
    assert main(["--quick", "--output", str(file)]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith(f"gradflow: --output {file}: ")
    assert captured.err.endswith("choose another folder\n")
    assert captured.err.count("\n") == 1
    assert captured.out == ""
    assert file.read_text() == "mine"


def test_a_negative_seed_is_refused(tmp_path, capsys):
    assert main(["--seed", "-1", "--output", str(tmp_path / "new")]) == 2
    assert capsys.readouterr().err == "gradflow: --seed -1: a seed must be at least 0, e.g. --seed 0\n"
    assert not (tmp_path / "new").exists()


def test_the_same_seed_gives_the_same_numbers_and_another_one_others():
    effort = replace(QUICK, seeds=1, epochs=1, signal_depths=(6,))
    recipe = dead_units.RECIPES[dead_units.RATE_CAUSE][dead_units.FAILS]
    once, again, other = (dead_units.average(recipe, effort, seed) for seed in (0, 0, 1))
    assert once.dead.tolist() == again.dead.tolist()
    assert once.accuracy.tolist() == again.accuracy.tolist()
    assert once.units.tolist() != other.units.tolist()
    networks = [centred_network.train("tanh", "Adam", [0.01], [seed], epochs=1) for seed in (0, 0, 1)]
    losses = [centred_network.scores(logits, [0.01], [0])[0].tolist() for logits in networks]
    assert losses[0] == losses[1] != losses[2]
    signals = [telephone.signals(effort, seed=seed) for seed in (0, 0, 1)]
    pd.testing.assert_frame_equal(signals[0], signals[1])
    assert signals[0]["mean"].tolist() != signals[2]["mean"].tolist()


def test_a_panel_has_a_signal_for_each_control():
    chart = marks.layers(marks.alt.Chart().mark_point(), data=pd.DataFrame({"a": [1]}), where="datum.a === depth")
    panel = Panel("", chart)
    control = Control("depth", "hidden layers", {"one": 1, "two": 2}, 2)
    figure = Figure("name", "title", "reading", panels=[panel], picture=[panel], controls=[control])
    spec = marks.specification(figure, panel)
    assert spec["params"] == [{"name": "depth", "value": 2}]
    assert spec["transform"] == [{"filter": "datum.a === depth"}]
    assert control.position == 1


def test_a_state_is_an_expression_of_vega():
    expression = marks.same({"activation": "elu", "parameter": None, "depth": 3})
    assert expression == 'datum.activation === "elu" && datum.parameter === null && datum.depth === 3'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.25, "0.25"),
        (0.25**6, "0.000244"),
        (-4.3565, "\N{MINUS SIGN}4.36"),
        (3.39e-43, "3.4 · 10⁻⁴³"),
        (6.2e10, "6.2 · 10¹⁰"),
        (1234.5, "1234"),
        (float("-inf"), "\N{MINUS SIGN}∞"),
        (0.0, "0"),
    ],
)
def test_numbers_in_sentences(value, text):
    assert short(value) == text.replace(" ", "\N{NO-BREAK SPACE}")


def test_fractions_in_sentences():
    assert percent(0.9745) == "97\N{NO-BREAK SPACE}%"
    assert percent(0.9745, 1) == "97.5\N{NO-BREAK SPACE}%"
