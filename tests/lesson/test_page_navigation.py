"""Moving through the lesson in a real browser, and its projector mode."""

import pytest
from browsers import browser_page, needs_browser
from page_text import visible_text_sizes

pytestmark = [pytest.mark.slow, needs_browser]
SMALLEST = 16  # pixels of any text in projector mode


@pytest.fixture
def page(browser, live_only):
    with browser_page(browser=browser, width=1920, noise=("error", "warning")) as page:
        page.goto((live_only / "index.html").as_uri())
        page.locator("html[data-started]").wait_for()
        yield page


def marked(page):
    return page.locator("nav.contents a[aria-current]").all_inner_texts()


def until_marked(page, number):
    page.locator(f"nav.contents li:nth-child({number}) a[aria-current]").wait_for()
    assert len(marked(page)) == 1


def test_buttons_and_arrow_keys_go_from_section_to_section(page):
    page.emulate_media(reduced_motion="reduce")
    until_marked(page, 1)
    before, after = page.locator("[data-move='-1']"), page.locator("[data-move='1']")
    assert before.is_disabled()
    after.click()
    until_marked(page, 2)
    page.keyboard.press("ArrowRight")
    until_marked(page, 3)
    page.keyboard.press("ArrowLeft")
    until_marked(page, 2)
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    until_marked(page, page.locator("main > section").count())
    assert after.is_disabled()


def test_arrow_keys_stay_with_a_control_that_uses_them(page):
    page.locator("[data-question] input").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("[data-question] input").nth(1).is_checked()
    until_marked(page, 1)


def test_the_projector_mode_is_switched_by_button_key_and_address(page):
    root, button = page.locator("html"), page.get_by_role("button", name="Projector")
    button.click()
    assert root.get_attribute("data-projector") == ""
    assert button.get_attribute("aria-pressed") == "true"
    page.locator("h1").click()
    page.keyboard.press("p")
    assert root.get_attribute("data-projector") is None


def test_what_is_being_read_stays_in_sight_when_the_projector_mode_is_switched(browser, live_only):
    with browser_page(browser=browser, width=1920) as page:
        page.goto((live_only / "index.html").as_uri() + "#play&preset=relu-units-die")
        page.locator("html[data-started]").wait_for()
        above = "document.querySelector('.playground.full').getBoundingClientRect().top - "
        above += "document.querySelector('nav.contents').getBoundingClientRect().bottom"
        for _ in range(2):
            page.wait_for_function(f"0 <= {above} && {above} < 20")
            page.keyboard.press("p")
        page.wait_for_function(f"0 <= {above} && {above} < 20")


@pytest.mark.parametrize("wish", ["?projector", "#projector", "?everything#projector"])
def test_the_address_asks_for_the_projector_mode(browser, live_only, wish):
    with browser_page(browser=browser, width=1920) as page:
        page.goto((live_only / "index.html").as_uri() + wish)
        page.locator("html[data-started][data-projector]").wait_for()


def test_every_text_is_large_in_projector_mode(page):
    page.get_by_label("Show everything").check()
    page.get_by_role("button", name="Projector").click()
    sizes = visible_text_sizes(page)
    assert len(sizes) > 100
    assert [text for text in sizes if text[1] < SMALLEST] == []


@pytest.mark.parametrize("projector", [False, True])
@pytest.mark.parametrize("width", [400, 1400, 1920])
def test_nothing_sticks_out(page, width, projector):
    page.set_viewport_size({"width": width, "height": 900})
    page.get_by_label("Show everything").check()
    if projector:
        page.get_by_role("button", name="Projector").click()
    page.wait_for_function("width => document.documentElement.scrollWidth <= width", arg=width)


@pytest.mark.parametrize(("width", "height"), [(1400, 900), (1920, 1080)])
def test_the_first_picture_is_on_the_first_screen(page, width, height):
    page.set_viewport_size({"width": width, "height": height})
    box = page.locator("[data-playground] canvas").first.bounding_box()
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= height
