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


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1400])
def test_the_report_opens_from_disk(page, study, scheme, width):
    page.set_viewport_size({"width": width, "height": 1000})
    page.emulate_media(color_scheme=scheme)
    page.goto((study / "report" / "index.html").as_uri())
    page.locator("svg, canvas").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
