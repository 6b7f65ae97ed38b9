"""Questions in a real browser: what they hide, and what shows it."""

import json
import math

import pytest
from browsers import browser_page, needs_browser

pytestmark = [pytest.mark.slow, needs_browser]
FIRST = "[data-question=nonlinearity]"
SECOND = "[data-question=telephone]"


@pytest.fixture
def page(browser, live_only):
    with browser_page(browser=browser, width=1300, noise=("error", "warning")) as page:
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        page.goto((live_only / "index.html").as_uri())
        page.locator("html[data-started]").wait_for()
        yield page
        assert {url.split(":")[0] for url in requests} <= {"file", "blob"}
        assert len({url.split("#")[0].split("?")[0] for url in requests if url.startswith("file")}) == 1


def answer(page, question, value):
    page.locator(f"{question} input[value='{value}']").check()


def right(page, question):
    return page.locator(question).get_attribute("data-answer")


def shown(page, name):
    parts = page.locator(f"[data-after={name}]:not(.given)")
    return parts.evaluate_all("all => all.map((one) => one.checkVisibility())")


def test_what_follows_a_question_is_hidden_until_it_is_answered_and_that_of_others_stays_hidden(page):
    assert not any(shown(page, "telephone"))
    answer(page, SECOND, right(page, SECOND))
    assert all(shown(page, "telephone"))
    assert page.locator(f"{SECOND} .reply .verdict").inner_text() == "Right."
    assert not any(shown(page, "dead-units"))


def test_a_wrong_answer_is_said_to_be_wrong_beside_the_right_one(page):
    wrong = "0" if right(page, FIRST) != "0" else "1"
    answer(page, FIRST, wrong)
    said = page.locator(f"{FIRST} .reply").inner_text()
    options = page.locator(f"{FIRST} .option").all_inner_texts()
    assert said.startswith("Not quite.")
    assert options[int(right(page, FIRST))].strip() in said
    assert page.locator(f"{FIRST} .option.wrong").inner_text().strip() == options[int(wrong)].strip()
    assert page.locator(f"{FIRST} [aria-live=polite].reply .verdict").count() == 1


def test_a_question_is_answered_and_skipped_by_keyboard(page):
    page.locator(f"{FIRST} input").first.focus()
    page.keyboard.press("ArrowDown")
    assert page.locator(f"{FIRST} input").nth(1).is_checked()
    assert all(shown(page, "nonlinearity"))
    skip = page.locator(f"{SECOND} [data-skip]")
    skip.focus()
    page.keyboard.press("Enter")
    assert all(shown(page, "telephone"))
    assert page.locator(f"{SECOND} .reply .verdict").inner_text() == ""
    assert "Answer:" in page.locator(f"{SECOND} .reply").inner_text()


def test_everything_is_shown_on_request_until_it_is_taken_back(page):
    switch = page.get_by_label("Show everything")
    switch.check()
    assert page.locator("[data-after]").evaluate_all("all => all.every((one) => one.checkVisibility())")
    page.reload()
    assert switch.is_checked()
    assert all(shown(page, "dead-units"))
    switch.uncheck()
    assert not any(shown(page, "dead-units"))
    page.goto(page.url.split("#")[0] + "?everything")
    assert all(shown(page, "dead-units"))


def test_an_address_inside_what_is_hidden_shows_it(page):
    hidden = page.locator("[data-after] [id]").first
    name = hidden.get_attribute("id")
    assert not hidden.is_visible()
    page.evaluate("name => { location.hash = name; }", name)
    page.wait_for_function("name => document.getElementById(name).checkVisibility()", arg=name)


@pytest.mark.parametrize("name", ["nonlinearity", "telephone", "dead-units", "mistakes"])
def test_a_question_speaks_of_the_networks_beside_it(page, name):
    question = page.locator(f"[data-question={name}]")
    preset = json.loads(question.locator("[data-playground]").get_attribute("data-playground"))["preset"]
    settings = page.evaluate("(name) => lesson.menu.complete(lesson.presets[name].settings)", preset)
    asked = f"{page.locator(f'section:has([data-question={name}]) > p').inner_text()} {question.inner_text()}".lower()
    if name == "dead-units":
        assert all(str(network["rate"]) in asked for network in settings["networks"])
        return
    assert {10: "ten layers", 12: "twelve layers"}[settings["depth"]] in asked
    if name == "mistakes":  # standard deviations √(2 / inputs) and 1 / √(3 inputs)
        assert [network["initialisation"] for network in settings["networks"]] == ["torch", "he"]
        assert f"{math.sqrt(2) * math.sqrt(3):.1f} times" in asked


def test_of_the_changes_that_the_playground_asks_about_only_the_answer_helps(page):
    """Options in the order of the question: ten times the rate, twice the width, batch norm."""
    losses = page.evaluate(
        """() => {
          const { networks: [sigmoid], ...shared } = lesson.presets["sigmoid-ten-layers"].settings;
          const changes = [{ rate: 10 * sigmoid.rate }, {}, { normalisation: "batch" }];
          return changes.map((change, index) => {
            const width = index === 1 ? 2 * shared.width : shared.width;
            const networks = [{ ...sigmoid, ...change }];
            const session = lesson.session(lesson.menu.complete({ ...shared, width, networks }));
            session.advance(600);
            return session.look().networks[0].loss;
          });
        }"""
    )
    guessing = math.log(2)
    helps = [loss < 0.2 for loss in losses]
    assert helps.index(True) == int(right(page, "[data-question=playground]"))
    assert [loss for loss in losses if loss > 0.2] == pytest.approx([guessing] * 2, abs=0.01)


def test_print_shows_everything(page):
    page.emulate_media(media="print")
    assert all(shown(page, "telephone"))
    assert not page.get_by_label("Show everything").is_visible()


def test_without_scripts_everything_is_shown_with_its_answer(browser, live_only):
    with browser_page(browser=browser, width=1300, scripts=False) as page:
        page.goto((live_only / "index.html").as_uri())
        assert "Answer: One straight line" in page.locator(FIRST).inner_text()
        assert all(shown(page, "dead-units"))
        assert not any(element.is_visible() for element in page.locator(".scripted").all())
