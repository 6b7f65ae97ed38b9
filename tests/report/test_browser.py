"""A real browser opens what a study leaves: TensorBoard's pages and the report, without an error."""

import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator

import pytest
from browsers import browser_page, needs_browser
from waiting import PATIENCE_S, wait_until

from gradflow.study.__main__ import main
from gradflow.study.records import study_runs

pytestmark = [pytest.mark.slow, needs_browser]


@pytest.fixture(scope="module")
def study(command_in, tiny, tmp_path_factory):
    """Two activations at two seeds, averaged and reported."""
    folder = tmp_path_factory.mktemp("browser")
    overrides = [override for override in tiny if not override.startswith("callbacks")]
    assert command_in(folder, *overrides, "activation=relu,sigmoid", "blocks=1", "seed=0,1").status == 0
    study = folder / "outputs" / "digits_conv"
    assert main([str(study)]) == 0
    return study


@pytest.fixture(scope="module")
def tensorboard(study) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tensorboard.main", "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen([*command, "--logdir", str(study)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"

    def shows_every_run():
        try:
            return b"seed=1" in urllib.request.urlopen(f"{address}/data/runs", timeout=PATIENCE_S).read()
        except OSError:  # not yet
            return False

    try:
        assert wait_until(shows_every_run, process=process)
        yield address
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def page():
    with browser_page(width=1400) as page:
        yield page


def test_scalars_show_the_runs_and_their_mean(page, tensorboard):
    page.goto(f"{tensorboard}/#timeseries")
    page.get_by_text("dead_units/00_stem").first.wait_for()
    for run in ("mean", "seed=0", "seed=1"):
        page.get_by_text(f"trainer.max_epochs=1/{run}").first.wait_for()


def test_the_hparams_page_has_one_row_per_configuration_averaged_over_seeds(page, tensorboard, study):
    page.goto(f"{tensorboard}/#hparams")
    rows = page.locator("div.table-cell", has_text="digits_conv/activation=")
    rows.first.wait_for()
    assert rows.count() == 2
    for activation in ("relu", "sigmoid"):
        scores = [r["metrics"]["test/acc_at_best"] for r in study_runs(study) if r["activation"] == activation]
        mean = sum(scores) / len(scores)
        page.get_by_text(f"{mean:.5}".ljust(7, "0")[:7]).first.wait_for()


def test_margin_charts_draw_the_mean_of_each_configuration(page, tensorboard):
    page.goto(f"{tensorboard}/#custom_scalars")
    page.get_by_text("Matches (2)").first.wait_for()  # runs with a value and both bounds: the two means


def test_the_pictures_of_a_run_are_there(page, tensorboard):
    page.goto(f"{tensorboard}/#images")
    for tag in ("gradient_by_depth", "dead_units_by_depth"):
        page.get_by_text(f"tag: {tag}").first.wait_for()
    page.locator("img[src*='/images/individualImage']").first.wait_for()


def opened_report(page, study, *, width):
    page.set_viewport_size({"width": width, "height": 900})
    page.goto((study / "report" / "index.html").as_uri())
    page.locator("html[data-drawn]").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1400])
def test_the_report_opens_from_disk_and_never_scrolls_sideways(page, study, scheme, width):
    page.emulate_media(color_scheme=scheme)
    opened_report(page, study, width=width)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_question_answer_evidence_and_the_whole_main_chart_fill_the_first_screen(page, study):
    opened_report(page, study, width=1400)
    for place in ("h1", ".answer", ".evidence", "#answer .panels"):
        box = page.locator(place).bounding_box()
        assert box["y"] + box["height"] <= 900, place


def test_a_table_says_that_it_is_wider_than_a_narrow_page_until_its_end_is_reached(page, study):
    opened_report(page, study, width=400)
    table = page.locator("#tables ~ .table").first
    assert table.locator(".sideways").is_visible()
    frame, scroll = table.locator(".frame"), table.locator(".scroll")
    assert "more-right" in frame.get_attribute("class")
    scroll.evaluate("(one) => one.scrollTo(one.scrollWidth, 0)")
    page.locator("#tables ~ .table .frame.more-left:not(.more-right)").first.wait_for()
    page.set_viewport_size({"width": 2400, "height": 900})
    table.locator(".sideways").wait_for(state="hidden")


def test_a_command_is_copied_or_at_least_selected(page, study):
    opened_report(page, study, width=1400)
    command = page.locator(".evidence .command")
    command.locator("button").click()
    page.get_by_text("Selected").or_(page.get_by_text("Copied")).first.wait_for()
    if command.locator("button").text_content() == "Selected":
        assert page.evaluate("getSelection().toString()") == command.locator("pre").text_content()


def test_everything_folded_is_printed(page, study):
    opened_report(page, study, width=1400)
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
