"""What docs/teaching.md tells a teacher to expect is what the page's networks do."""

import re

import pytest
from browsers import browser_page, needs_browser
from docs_examples import DOCS

from gradflow.lesson.__main__ import main

pytestmark = [pytest.mark.slow, needs_browser]
TEXT = (DOCS / "teaching.md").read_text()
ROWS = re.findall(r"^\| `([\w-]+)` \| (\d+) \| (.*?) \| (.*?) \|$", TEXT, flags=re.MULTILINE)
PLAY = """([name, seed]) => {
  const { settings, steps } = lesson.presets[name];
  const session = lesson.session(lesson.menu.complete({ ...settings, seed }));
  const first = session.look();
  session.advance(steps);
  const last = session.look();
  const quote = (path) => lesson.findings.quote(path, { first, last }).replaceAll("\u00a0", " ");
  return [steps, ...["a", "b"].map((letter) => ({
    loss: quote(`${letter}.loss`), accuracy: quote(`${letter}.accuracy`), message: quote(`first.${letter}.message`),
    dead: `${quote(`${letter}.deadUnits`)} of ${quote(`${letter}.units`)}`,
  }))];
}"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lesson")
    assert main(["--live-only", "--output", str(folder)]) == 0
    with browser_page(width=1300) as page:
        page.goto((folder / "index.html").as_uri())
        page.locator("html[data-started]").wait_for()
        yield page


def test_every_preset_has_a_row(page):
    assert {name for name, *_ in ROWS} == set(page.evaluate("Object.keys(lesson.presets)"))


@pytest.mark.parametrize(("name", "steps", "first", "second"), ROWS, ids=[name for name, *_ in ROWS])
def test_a_preset_shows_what_the_table_says(page, name, steps, first, second):
    played = page.evaluate(PLAY, [name, 0])
    assert played[0] == int(steps)
    for said, found in zip((first, second), played[1:], strict=True):
        numbers = re.findall(r"loss ([\d.]+)|accuracy (\d+ %)|(1/[\d.]+(?: million)?)|(\d+ of \d+)", said)
        assert numbers, said
        for loss, accuracy, message, dead in numbers:
            assert loss in ("", found["loss"])
            assert accuracy in ("", found["accuracy"])
            assert message in ("", found["message"])
            assert dead in ("", found["dead"])


def test_units_die_at_other_seeds_too(page):
    counts = re.findall(r"(\d+ of 96) at seed (\d)", TEXT)
    assert len(counts) == 2
    for dead, seed in counts:
        assert page.evaluate(PLAY, ["relu-units-die", int(seed)])[1]["dead"] == dead


def test_the_depth_at_which_sigmoid_stops_and_tanh_does_not(page):
    (said,) = re.findall(r"(\d\.\d+) at 2 layers and (\d\.\d+) at 6; at 10 it stays at (\d\.\d+)", TEXT)
    for depth, loss in zip((2, 6, 10), said, strict=True):
        sigmoid, tanh = page.evaluate(
            """(depth) => {
              const own = ["sigmoid", "tanh"].map((name) => `${name},initialisation:xavier`);
              const { settings } = lesson.address.read(`#play&depth=${depth}&a=${own[0]}&b=${own[1]}`);
              const session = lesson.session(settings);
              session.advance(500);
              return session.look().networks.map((network) => network.loss);
            }""",
            depth,
        )
        assert f"{sigmoid:.3f}" == loss
        assert tanh < 0.1


def test_the_share_of_dead_units_rises_with_the_rate(page):
    shares = page.evaluate(
        """() => [0.003, 0.01, 0.03, 0.1, 0.3].map((rate) => {
          const { settings, steps } = lesson.presets["relu-units-die"];
          const networks = [{ ...settings.networks[0], rate }];
          const session = lesson.session(lesson.menu.complete({ ...settings, networks }));
          session.advance(steps);
          return lesson.findings.deadShare(session.look().networks[0]);
        })"""
    )
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(0.9, abs=0.05)


def test_the_plans_quote_the_table():
    plans = re.sub(r"\d+ of 96 at seed", "", TEXT.partition("## 20 minutes")[2])
    table = " ".join(f"{first} {second}" for _, _, first, second in ROWS)
    for quoted in re.findall(r"loss (?:of |falls to |stays at )?(\d\.\d+)|(\d+ of \d+)", plans):
        assert any(number and number in table for number in quoted), quoted


@pytest.mark.parametrize("link", sorted(set(re.findall(r"`(#[^`]+)`", TEXT))))
def test_addresses_lead_somewhere(page, link):
    if link.startswith("#play"):
        assert page.evaluate("link => lesson.address.read(link).complaint", link) == ""
    else:
        assert page.locator(f'[id="{link[1:]}"]').count() == 1
