"""What a first-time user sees in TensorBoard without a click, in a real browser."""

import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
from browsers import browser_page, needs_browser
from forged_runs import typical, write_run
from waiting import wait_until

pytestmark = [pytest.mark.slow, needs_browser]


@pytest.fixture(scope="module")
def addresses(tmp_path_factory) -> Iterator[dict[str, str]]:
    """What the command prints for two activations, two depths and two seeds: words -> address."""
    folder = tmp_path_factory.mktemp("board") / "digits"
    for activation, score in (("relu", 0.95), ("sigmoid", 0.5)):
        for blocks in (2, 4):
            for seed in (0, 1):
                run = typical(blocks=blocks, accuracy=score + seed / 100)
                write_run(folder, activation=activation, seed=seed, **run)
    typed = [sys.executable, "-m", "gradflow.tensorboard", str(folder), "--no-browser"]
    printed = folder.with_name("printed")
    with printed.open("w") as out:
        process = subprocess.Popen(typed, stdout=out, stderr=out)
        try:
            assert wait_until(lambda: "ssh" in printed.read_text(), process=process)
            lines = [line.partition(": ") for line in printed.read_text().splitlines()]
            yield {words: address.split()[0] for words, _, address in lines}
        finally:
            process.terminate()
            process.wait()


@pytest.fixture
def page():
    with browser_page(width=1400) as page:
        yield page


def test_the_plain_address_shows_scores_by_depth_of_the_averages(page, addresses):
    page.goto(addresses["TensorBoard"])
    page.get_by_text("Pinned").first.wait_for()
    page.get_by_text("5 cards").first.wait_for()  # three by depth, validation accuracy, training loss
    for tag in ("test accuracy", "gradient gain per layer", "dead units"):
        page.get_by_text(tag, exact=False).first.wait_for()
    runs = [one for one in page.locator("runs-data-table").inner_text().splitlines() if "activation=" in one]
    assert len(runs) == 4 + 2 * 3  # means, and mean, lower and upper by depth
    assert not any("seed=" in run for run in runs)


def test_no_value_is_cut_off_unless_the_user_has_chosen_so(page, addresses):
    """Of the six or so values of an activation, TensorBoard by itself draws the lowest and the highest off the card."""
    ignore_outliers = page.get_by_role("checkbox", name="Ignore outliers in chart scaling")
    page.goto(addresses["TensorBoard"])
    ignore_outliers.wait_for()
    assert not ignore_outliers.is_checked()
    ignore_outliers.check()
    page.wait_for_function("JSON.parse(localStorage.getItem('_tb_global_settings')).ignoreOutliers")
    page.goto(addresses["TensorBoard"])
    ignore_outliers.wait_for()
    assert ignore_outliers.is_checked()


def test_the_page_of_bands_draws_pairs_and_misses_nothing(page, addresses):
    page.goto(addresses["intervals as bands"])
    page.get_by_text("Matches (2)").nth(2).wait_for()
    assert page.get_by_text("Missing Tags").count() == 0
    titles = page.get_by_text(re.compile(r"^[a-z ]+: sigmoid and ReLU$")).all_inner_texts()
    assert titles[:3] == [
        f"{words}: sigmoid and ReLU" for words in ("test accuracy", "gradient gain per layer", "dead units")
    ]
