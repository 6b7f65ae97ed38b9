"""Tree, quiz and cheat sheet in a real browser, on the page that is built without training."""

import re

import pytest
from browsers import browser_page, needs_browser

from gradflow.lesson.decision_tree import paths
from gradflow.lesson.sections.decisions import tree
from gradflow.lesson.sections.quiz import items

pytestmark = [pytest.mark.slow, needs_browser]
PATHS = {advice.name: (answers, advice) for answers, advice in paths(tree().root)}
QUIZ = items()


@pytest.fixture(scope="module")
def page(live_only):
    with browser_page(width=1300, noise=("error", "warning")) as page:
        yield page


@pytest.fixture
def opened(page, live_only):
    page.goto("about:blank")
    page.goto(f"{(live_only / 'index.html').as_uri()}?everything")
    page.locator("html[data-started]").wait_for()
    return page


def shown(page):
    return page.locator("[data-stage]").inner_text()


def click(page, name):
    page.locator("[data-stage]").get_by_role("button", name=name, exact=True).click()


def test_every_path_ends_in_its_advice(opened):
    for answers, advice in PATHS.values():
        for answer in answers:
            click(opened, answer)
        assert advice.use in shown(opened)
        assert opened.locator("[data-stage] nav li").all_inner_texts() == list(answers)
        click(opened, "Start again")
    assert tree().root.question in shown(opened)
    assert opened.locator("[data-stage] nav li").count() == 0


def test_back_and_an_earlier_answer_lead_to_their_questions(opened):
    for answer in PATHS["relu6"][0]:
        click(opened, answer)
    click(opened, "Back")
    assert "In which arithmetic?" in shown(opened)
    click(opened, 'Change the answer "Convolutions"')
    assert "What kind of network is it?" in shown(opened)
    click(opened, "Back")
    assert tree().root.question in shown(opened)
    assert opened.locator("[data-stage] .steps button").count() == 0


def test_the_tree_works_by_keyboard_and_tells_where_it_is(opened):
    opened.locator("[data-stage] .answers button").nth(1).focus()
    opened.keyboard.press("Enter")
    group = opened.locator("[data-stage] [role=group]")
    assert group.get_attribute("aria-label") == "What kind of network is it?"
    assert group.evaluate("element => element === document.activeElement")
    opened.keyboard.press("Tab")
    opened.keyboard.press("Tab")
    opened.keyboard.press("Enter")
    assert "What may you add to the layers?" in shown(opened)


def test_an_address_opens_an_advice_and_its_onward_button_another_question(opened):
    opened.evaluate("location.hash = '#choice-number'")
    opened.locator("[data-stage] [data-leaf]").wait_for()
    assert "Loss: mean squared error" in shown(opened)
    click(opened, "Now the hidden layers")
    assert "What kind of network is it?" in shown(opened)


def test_without_scripts_and_in_print_the_whole_tree_is_there(opened):
    whole = opened.locator("[data-whole]")
    assert not whole.is_visible()
    opened.emulate_media(media="print")
    try:
        assert whole.is_visible()
        assert not opened.locator("[data-stage]").is_visible()
        text = whole.inner_text()
        assert [advice.name for _, advice in PATHS.values() if advice.use not in text] == []
    finally:
        opened.emulate_media(media="null")


def test_links_to_the_playground_are_legal(opened):
    links = [advice.play for _, advice in PATHS.values() if advice.play]
    assert len(links) >= 9
    assert [link for link in links if opened.evaluate("link => lesson.address.read(link).complaint", link)] == []


def test_every_question_leads_to_the_place_where_its_number_stands(opened):
    for item in QUIZ:
        link = opened.locator(f"#quiz-{item.name} [data-see]")
        assert link.get_attribute("href") == f"#{item.place}"
        place = opened.locator(f'[id="{item.place}"]')
        assert place.count() == 1, item.place
        if item.live:
            assert f'"preset": "{item.live}"' in place.get_attribute("data-playground")
        else:
            assert item.number in place.text_content(), item.name


def test_the_first_answer_counts_and_the_score_is_told(opened):
    score = opened.locator("[data-score]")
    for number, item in enumerate(QUIZ):
        options = opened.locator(f"#quiz-{item.name} .option")
        is_wrong = number in (2, 7)
        chosen = (item.answer + is_wrong) % 4
        options.nth(chosen).click()
        options.nth(item.answer).click(force=True)  # too late
        verdict = opened.locator(f"#quiz-{item.name} .verdict").inner_text()
        assert verdict == ("Not quite." if is_wrong else "Right.")
        assert options.nth(item.answer).evaluate("option => option.classList.contains('right')")
        if number == 2:
            assert score.inner_text() == "2 of 3 right so far, 12 to go."
    assert score.inner_text() == "13 of 15 right. You know how gradients live and die."
    opened.get_by_role("button", name="Start again").last.click()
    assert score.inner_text() == "No question answered yet."
    assert opened.locator(".quiz .right, .quiz .wrong").count() == 0


@pytest.mark.parametrize(
    ("right", "said"),
    [(15, "You could teach this."), (12, "You know how"), (11, "You have the idea"), (7, "Walk through the lesson")],
)
def test_what_a_score_is_called(opened, right, said):
    assert said in opened.evaluate("right => lesson.quiz.told(right, 15, 15)", right)


def test_an_answer_is_hidden_until_its_question_is_answered(page, live_only):
    page.goto("about:blank")
    page.goto((live_only / "index.html").as_uri())
    page.evaluate("sessionStorage.clear()")
    page.reload()
    page.locator("html[data-started]").wait_for()
    because = page.locator("#quiz-slope .because")
    assert not because.is_visible()
    page.locator("#quiz-slope .option").first.click()
    assert because.is_visible()


def pages(pdf):
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_the_cheat_sheet_is_one_printed_page(opened, paper):
    opened.evaluate("window.print = () => document.documentElement.classList.add('printed')")
    opened.get_by_role("button", name="Print the cheat sheet").click()
    assert opened.locator("html.printed").get_attribute("data-print") == "sheet"
    alone = opened.pdf(format=paper)
    opened.keyboard.press("Shift")  # the reader is back
    assert opened.locator("html").get_attribute("data-print") is None
    assert pages(alone) == 1
    assert pages(opened.pdf(format=paper)) > 5


def test_the_printed_sheet_leaves_room_for_wider_letters(opened):
    """On US Letter, the lower of the two, a twelfth of the page stays free."""
    opened.evaluate("document.documentElement.dataset.print = 'sheet'")
    opened.emulate_media(media="print")
    opened.set_viewport_size({"width": round((216 - 18) / 25.4 * 96), "height": 1000})
    try:
        height = opened.locator("[data-sheet]").bounding_box()["height"]
    finally:
        opened.emulate_media(media="null")
        opened.set_viewport_size({"width": 1300, "height": 1000})
    assert height <= 0.92 * (279 - 18) / 25.4 * 96
