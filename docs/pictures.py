"""`make pictures`: the pictures of the README and docs/, made from the pages that gradflow writes today.

Trains what is missing of their study, writes its report, serves TensorBoard, builds the lesson, plays one of its
situations, and photographs them in headless Chromium; docs/vanishing_by_depth.png is the report's first figure. The
study's results are kept in docs/studies, with which the words of README and docs/ are compared, so that they tell what
the pictures show.
"""

import io
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pandas as pd
from badges import write_badges
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from gradflow.figures.marks import legend_of
from gradflow.figures.panels import save
from gradflow.report.figures import figures
from gradflow.report.frames import study_frames
from gradflow.study.records import study_with_runs
from gradflow.study.treatments import compared

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs/images"
FIGURE = ROOT / "docs/vanishing_by_depth.png"
STUDY = ROOT / "outputs/digits_vanishing"
TRAIN = ("train.py", "experiment=digits_vanishing", "seed=range(0,8)", "threads=1")
RESULTS = ROOT / "docs/studies/digits_vanishing.csv"
SCORES = ("test/acc_at_best", "test/acc", "test/acc_running_bn")
KEPT = (*SCORES, "grad_flow/gain_per_layer", "grad_flow/first_to_last", "dead_units/total")
LESSON = "#play&preset=sigmoid-ten-layers"  # what the picture of the lesson shows, played to its end

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
SCREEN = {"width": 1400, "height": 900}
PATIENCE_MS = 300_000  # for what takes seconds on an idle machine
LOOK_AGAIN_MS = 1000  # TensorBoard draws a chart well within this
LARGEST = 300_000  # bytes: what a README should load


def main() -> None:
    """Make every picture."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        sys.exit(f"pictures are taken with a browser: install one of {', '.join(BROWSERS)}")
    run(*TRAIN)
    run("-m", "gradflow.study", STUDY)
    write_badges()
    keep_results(STUDY / "report/table.csv", RESULTS)
    with tempfile.TemporaryDirectory() as folder:
        keep(Image.open(first_figure(STUDY, Path(folder))), FIGURE)
    with browser_page(program) as page, tempfile.TemporaryDirectory() as folder:
        report = (STUDY / "report/index.html").as_uri()
        keep(photograph(page, report, drawn="html[data-drawn]"), IMAGES / "report.png")
        run("-m", "gradflow.lesson", "--live-only", "--output", folder)
        keep(played(page, Path(folder, "index.html").as_uri() + LESSON), IMAGES / "lesson.png")
        with tensorboard(STUDY) as address:
            keep(photograph(page, address, drawn="line-chart :is(canvas, path)"), IMAGES / "tensorboard.png")


def run(*arguments: str | Path) -> None:
    """Run Python at the top of the checkout; the first failure ends all."""
    subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True)


def keep_results(table: Path, place: Path) -> None:
    """Keep the rows of a report's table that docs/ speaks of, to seven digits."""
    results = pd.read_csv(table, keep_default_na=False, na_values=[""])
    results[results["metric"].isin(KEPT)].to_csv(place, index=False, float_format="%.7g")


def first_figure(study: Path, folder: Path) -> Path:
    """The report's first figure as a picture in `folder`: two panels in a row, whose words can be read in a README."""
    records = study_with_runs(study)
    frames = study_frames(study, records)
    figure, *_ = figures(frames, records, legend_of(frames.final, compared=compared(frames.final["activation"])))
    save(replace(figure, columns=2), folder)
    return folder / f"{figure.name}.png"


@contextmanager
def browser_page(program: str) -> Iterator[Page]:
    """A page of a fixed size, in light colours, without animation."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(QUIET))
        page = browser.new_page(viewport=SCREEN, color_scheme="light", reduced_motion="reduce")
        page.set_default_timeout(PATIENCE_MS)
        yield page
        browser.close()


def photograph(page: Page, address: str, *, drawn: str) -> Image.Image:
    """The first screen of a page, once it shows the same when it is opened again.

    Args:
        page: the browser's.
        address: to open.
        drawn: selector of what is there once the page has begun to draw its charts.
    """

    def opened() -> bytes:
        page.goto("about:blank")
        page.goto(address)
        page.locator(drawn).first.wait_for(state="attached")
        return at_rest(page)

    before, now = b"", opened()
    while now != before:  # TensorBoard may still have been reading
        before, now = now, opened()
    return Image.open(io.BytesIO(now))


def played(page: Page, address: str) -> Image.Image:
    """The lesson's playground once its networks have trained as long as the situation asks."""
    page.goto(address)
    playground = page.locator(".playground.full")
    playground.get_by_role("button", name="Play", exact=True).click()
    page.locator(".playground.full[data-state=playing]").wait_for()
    page.locator(".playground.full[data-state=paused]").wait_for()
    return Image.open(io.BytesIO(at_rest(page)))


def at_rest(page: Page) -> bytes:
    """The screen once it does not change any more."""
    before, now = b"", page.screenshot()
    while now != before:
        page.wait_for_timeout(LOOK_AGAIN_MS)
        before, now = now, page.screenshot()
    return now


@contextmanager
def tensorboard(study: Path) -> Iterator[str]:
    """The address that gradflow's TensorBoard command says to open."""
    command = [sys.executable, "-m", "gradflow.tensorboard", str(study), "--no-browser"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            yield said_address(iter(process.stdout.readline, ""))
        finally:
            process.terminate()


def said_address(lines: Iterator[str]) -> str:
    """The first web address in what a program prints; what else it has printed is shown if it ends without one."""
    said = []
    for line in lines:
        if found := re.search(r"http://\S+", line):
            return found[0]
        said.append(line)
    sys.exit("".join(said))


def keep(image: Image.Image, place: Path) -> None:
    """Write a picture in 256 colours, as small as PNG allows; screens of text and charts look the same in them."""
    place.parent.mkdir(exist_ok=True)
    image.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(place, optimize=True)
    size = place.stat().st_size
    if size > LARGEST:
        sys.exit(f"{place.relative_to(ROOT)}: {size:,} bytes, more than {LARGEST:,}")
    print(f"{place.relative_to(ROOT)}: {size:,} bytes")


if __name__ == "__main__":
    main()
