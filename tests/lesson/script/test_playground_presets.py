"""Every preset teaches what it says: played by the page's own buttons, and at further seeds without them."""

import pytest
from browsers import browser_page, needs_browser

pytestmark = [pytest.mark.slow, needs_browser]
PRESETS = (
    "sigmoid-ten-layers",
    "sigmoid-ten-layers-batch-norm",
    "relu-units-die",
    "leaky-relu-cures",
    "he-or-not",
    "identity-one-line",
)
FURTHER_SEEDS = 4
LN_2, MARGIN, LEARNED = 0.693, 0.05, 0.2


@pytest.fixture(scope="module")
def page(live_only):
    with browser_page(width=1300, noise=("error", "warning")) as page:
        page.goto((live_only / "index.html").as_uri())
        page.locator("html[data-started]").wait_for()
        yield page


@pytest.fixture(scope="module")
def playground(page):
    found = page.locator(".playground.full")
    found.scroll_into_view_if_needed()
    return found


def measured(playground, preset):
    """What the page shows at a preset's end: (network, quantity) -> (text, number, as taught)."""
    playground.locator(f"[data-preset={preset}]").click()
    playground.locator("[data-do=pace]").select_option(label="as fast as it goes")
    playground.locator("[data-do=play]").click()
    lines = playground.locator(".verdict [data-quantity]")
    lines.first.wait_for()
    return {
        (line["network"], line["quantity"]): (line["text"], float(line["value"]), line["holds"] == "yes")
        for line in lines.evaluate_all("lines => lines.map(line => ({...line.dataset, text: line.textContent}))")
    }


def test_every_preset_is_tested(page):
    assert page.evaluate("Object.keys(lesson.presets)") == list(PRESETS)


def losses(playground):
    return [float(text) for text in playground.locator(".losses b").all_inner_texts()]


@pytest.mark.parametrize("preset", PRESETS)
def test_the_page_finds_what_the_preset_teaches(page, playground, preset):
    found = measured(playground, preset)
    assert all(as_taught for _, _, as_taught in found.values()), found
    assert playground.get_attribute("data-state") == "paused"
    steps, teaches = page.evaluate("name => [lesson.presets[name].steps, lesson.presets[name].teaches]", preset)
    assert playground.locator(".step").inner_text() == f"step {steps}"
    assert playground.locator(".conclusion").inner_text() == teaches
    for letter, loss in zip("ab", losses(playground), strict=True):
        kind = page.evaluate("([name, letter]) => lesson.presets[name].check[letter].loss ?? null", [preset, letter])
        assert kind != "stays" or abs(loss - LN_2) <= MARGIN
        assert kind != "falls" or loss < LEARNED


def test_the_dead_units_are_those_of_the_map(playground):
    found = measured(playground, "relu-units-die")
    for letter, line in zip("ab", playground.locator(".units .said").all_inner_texts(), strict=True):
        dead, of = (int(word) for word in line.replace(",", "").split() if word.isdigit())
        assert of == 3 * 32
        assert dead == round(of * found[letter, "dead"][1])


@pytest.mark.parametrize("preset", PRESETS)
def test_it_does_so_at_other_seeds_and_the_networks_do_not_change_places(page, preset):
    """The check would notice if the two networks did the same: with A and B swapped, no quantity both have holds."""
    runs = page.evaluate(
        """([name, seeds]) => {
          const { settings, steps, check } = lesson.presets[name];
          return Array.from({ length: seeds }, (_, seed) => {
            const session = lesson.session(lesson.menu.complete({ ...settings, seed: seed + 1 }));
            const first = session.look();
            session.advance(steps);
            const last = session.look();
            return [check, { a: check.b, b: check.a }].map((expected) => lesson.findings.judge(expected, first, last));
          });
        }""",
        [preset, FURTHER_SEEDS],
    )
    for judged, swapped in runs:
        assert all(one["holds"] for one in judged), judged
        shared = {one["quantity"] for one in judged if one["letter"] == "a"} & {
            one["quantity"] for one in judged if one["letter"] == "b"
        }
        assert shared
        assert not any(one["holds"] for one in swapped if one["quantity"] in shared), swapped
