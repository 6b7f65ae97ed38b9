"""The playground in a real browser: what its controls do, and when it trains."""

import pytest
from browsers import PAGE_PATIENCE_S, browser_page, needs_browser

pytestmark = [pytest.mark.slow, needs_browser]
NONE_YET = "\u2013"  # in place of a loss
WORKERS = """
  const Real = Worker;
  window.workers = { made: 0, ended: 0 };
  window.Worker = class extends Real {
    constructor(...all) { super(...all); workers.made += 1; }
    terminate() { super.terminate(); workers.ended += 1; }
  };
"""


@pytest.fixture
def page(browser, live_only):
    with browser_page(browser=browser, width=1300, noise=("error", "warning")) as page:
        page.add_init_script(WORKERS)
        page.goto((live_only / "index.html").as_uri())
        page.locator("html[data-started]").wait_for()
        yield page


@pytest.fixture
def playground(page):
    return seen(page)


def seen(page):
    """The whole playground, in sight and with its first look."""
    playground = page.locator(".playground.full")
    playground.scroll_into_view_if_needed()
    page.locator(".playground.full[data-step='0']").wait_for()
    return playground


def until(page, condition):
    for _ in range(int(PAGE_PATIENCE_S * 20)):
        if condition():
            return True
        page.wait_for_timeout(50)  # milliseconds
    return False


def step(playground):
    return int(playground.get_attribute("data-step") or -1)


def press(playground, what):
    playground.locator(f"[data-do={what}]").click()


def losses(playground):
    return playground.locator(".losses b").all_inner_texts()


def choose(playground, setting, value, network="a"):
    playground.locator(f".network-{network} [data-setting={setting}]").select_option(value)


def alive(page):
    return page.evaluate("workers.made - workers.ended")


def test_play_pause_one_step_and_reset(page, playground):
    press(playground, "step")
    assert until(page, lambda: step(playground) == 1)
    press(playground, "play")
    assert until(page, lambda: step(playground) > 5)
    press(playground, "play")
    assert until(page, lambda: playground.get_attribute("data-state") == "paused")
    press(playground, "reset")
    assert until(page, lambda: step(playground) == 0)
    session = "lesson.session(lesson.menu.complete({}))"
    expected = page.evaluate(f"{session}.look().networks.map(({{ loss }}) => loss)")
    assert losses(playground) == [f"{loss:.3f}" for loss in expected]


def test_what_is_shown_is_what_the_engine_computes(page, playground):
    """After three steps with settings chosen by the controls: losses, accuracy, dead units, gradients."""
    playground.locator("[data-setting=data]").select_option("spiral")
    choose(playground, "activation", "elu")
    choose(playground, "normalisation", "layer", "b")
    choose(playground, "rate", "0.1", "b")
    for number in (1, 2, 3):
        press(playground, "step")
        assert until(page, lambda number=number: step(playground) == number)
    look = page.evaluate(
        """() => {
          const networks = [{ activation: "elu" }, { activation: "relu", normalisation: "layer", rate: 0.1 }];
          const session = lesson.session(lesson.menu.complete({ data: "spiral", networks }));
          session.advance(3);
          const { networks: [a, b] } = session.look();
          const { deadUnits } = lesson.findings;
          return [a, b].map((one) => [one.loss, one.testAccuracy, deadUnits(one), [...one.gradientNorms]]);
        }"""
    )
    assert losses(playground) == [f"{loss:.3f}" for loss, *_ in look]
    scores = playground.locator(".score").all_inner_texts()
    assert scores == [f"{accuracy:.0%} of new points right".replace("%", "\u00a0%") for _, accuracy, *_ in look]
    for (_, _, dead, _), said in zip(look, playground.locator(".units .said").all_inner_texts(), strict=True):
        assert (f"{dead} of 64 units" in said) if dead else ("all 64 units are alive" in said)
    spoken = playground.locator(".gradients svg[aria-label^='Gradient norm by layer']").get_attribute("aria-label")
    for *_, norms in look:
        first, head = (page.evaluate("norm => lesson.numbers.short(norm)", norm) for norm in (norms[0], norms[-1]))
        assert f"{first} in layer 1, {head} in the output layer" in spoken


def test_the_networks_of_a_seed_are_those_of_the_seed(page, playground):
    before = losses(playground)
    press(playground, "seed")
    assert until(page, lambda: losses(playground) != before and NONE_YET not in losses(playground))
    assert page.evaluate("location.hash") == "#play&seed=1"
    playground.locator("[data-setting=seed]").fill("0")
    playground.locator("[data-setting=seed]").press("Enter")
    assert until(page, lambda: losses(playground) == before)


def test_a_choice_is_in_the_address_and_the_address_makes_the_choice(page, playground):
    choose(playground, "activation", "leaky_relu")
    slope = playground.locator(".network-a [data-setting=negative_slope]")
    slope.focus()
    slope.press("End")
    playground.locator("[data-setting=present]").uncheck()
    address = page.evaluate("location.hash")
    assert address == "#play&a=leaky_relu,negative_slope:1&b=none"
    page.goto(page.url.split("#")[0] + "?again" + address)
    page.locator("html[data-started]").wait_for()
    again = seen(page)
    assert again.locator(".network-a [data-setting=activation]").input_value() == "leaky_relu"
    assert float(again.locator(".network-a [data-setting=negative_slope]").input_value()) == 1
    assert again.locator(".region").count() == 1
    assert not again.locator("[data-setting=present]").is_checked()


def test_a_link_within_the_page_opens_its_situation(page, playground):
    page.evaluate("() => { location.hash = '#play&preset=he-or-not&depth=99'; }")
    complaint = playground.locator(".complaint")
    complaint.wait_for()
    assert complaint.inner_text() == "Not everything in this link makes sense: depth cannot be “99”, so it is 30."
    assert playground.locator("[data-setting=depth]").input_value() == "30"
    assert playground.locator("[data-setting=data]").input_value() == "moons"
    press(playground, "step")
    assert until(page, lambda: step(playground) == 1)
    playground.locator("[data-preset=identity-one-line]").click()
    assert complaint.is_hidden()
    assert page.evaluate("location.hash") == "#play&preset=identity-one-line"


def test_out_of_sight_it_pauses_and_back_in_sight_it_goes_on(page, playground):
    press(playground, "play")
    assert until(page, lambda: step(playground) > 3)
    page.locator("h1").scroll_into_view_if_needed()
    assert until(page, lambda: playground.get_attribute("data-state") == "paused")
    paused = step(playground)
    playground.scroll_into_view_if_needed()
    assert until(page, lambda: step(playground) > paused)


def test_a_worker_that_rests_ends_and_its_networks_come_back(browser, live_only):
    with browser_page(browser=browser, width=1300, noise=("error", "warning")) as page:
        page.clock.install()
        page.add_init_script(WORKERS)
        page.goto((live_only / "index.html").as_uri())
        page.locator("html[data-started]").wait_for()
        playground = seen(page)
        for number in (1, 2):
            press(playground, "step")
            assert until(page, lambda number=number: step(playground) == number)
        assert alive(page) >= 1
        page.clock.fast_forward(31_000)
        assert until(page, lambda: alive(page) == 0)
        press(playground, "step")
        assert until(page, lambda: step(playground) == 3)
        expected = page.evaluate(
            """() => { const session = lesson.session(lesson.menu.complete({}));
                 session.advance(3);
                 return session.look().networks.map(({ loss }) => loss); }"""
        )
        assert losses(playground) == [f"{loss:.3f}" for loss in expected]
        assert alive(page) == 1


def test_a_small_playground_says_what_was_measured_wherever_it_is_quoted(page):
    small = page.locator("#live-identity-one-line")
    small.scroll_into_view_if_needed()
    page.evaluate(
        """() => {
          document.addEventListener("lesson:played", ({ detail }) => (window.played = detail));
          document.body.insertAdjacentHTML("beforeend",
            '<output data-live="identity-one-line" data-quantity="b.accuracy">not yet</output>');
        }"""
    )
    assert small.locator("[data-setting], [data-do=seed]").count() == 0
    assert small.locator(".picture").evaluate_all("all => all.map(one => one.className)") == [
        "picture regions",
        "picture loss",
    ]
    press(small, "play")
    small.locator(".conclusion").wait_for()
    assert until(page, lambda: page.evaluate("window.played !== undefined"))
    step_, accuracy = page.evaluate("[played.last.step, played.last.networks[1].testAccuracy]")
    assert step_ == page.evaluate("lesson.presets['identity-one-line'].steps")
    quoted = page.locator("output[data-quantity='b.accuracy']").last.inner_text()
    assert quoted == f"{accuracy:.0%}".replace("%", "\u00a0%")
    small.locator(".open").click()
    full = page.locator(".playground.full")
    assert until(page, lambda: full.locator("[data-preset=identity-one-line]").get_attribute("aria-pressed") == "true")


def test_every_control_has_a_label_and_is_reached_by_the_keyboard(page, playground):
    controls = playground.locator("button, select, input, summary")
    names = controls.evaluate_all(
        "all => all.map(one => one.labels?.[0]?.textContent || one.ariaLabel || one.textContent)"
    )
    assert all(name.strip() for name in names)
    for picture in playground.locator("canvas, svg.message, .plot > svg").all():
        assert picture.get_attribute("role") == "img"
        assert picture.get_attribute("aria-label")
    visible = [one for one in controls.all() if one.is_visible()]
    visible[0].focus()
    reached = 1
    while reached < len(visible):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.matches('.playground *')")
        reached += 1
    assert visible[-1].evaluate("last => last === document.activeElement")


def test_a_reader_who_wants_calm_is_not_shown_twenty_pictures_a_second(page, playground):
    page.emulate_media(reduced_motion="reduce")
    page.evaluate(
        """() => {
          window.drawn = [];
          const real = CanvasRenderingContext2D.prototype.putImageData;
          CanvasRenderingContext2D.prototype.putImageData = function (...all) {
            drawn.push(performance.now());
            return real.apply(this, all);
          };
        }"""
    )
    press(playground, "play")
    assert until(page, lambda: step(playground) > 100)
    times = page.evaluate("drawn")[::2]  # the planes of both networks are drawn together
    seconds = (times[-1] - times[0]) / 1000
    assert seconds > 1
    assert len(times) <= 2 * seconds + 3  # the first, the last, and one that a busy machine has held up


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1300])
@pytest.mark.parametrize("depth", [1, 30])
def test_nothing_sticks_out(page, scheme, width, depth):
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    page.evaluate("depth => { location.hash = `#play&depth=${depth}&width=32`; }", depth)
    playground = page.locator(".playground.full")
    assert until(page, lambda: step(playground) == 0)
    assert until(page, lambda: page.evaluate("document.documentElement.scrollWidth") <= width)
    for picture in playground.locator("canvas, svg").all():
        if picture.is_visible():
            assert picture.bounding_box()["width"] <= width


def test_projected_every_text_is_large(page, playground):
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.evaluate("document.documentElement.dataset.projector = ''")
    smallest = playground.evaluate(
        """root => Math.min(...[...root.querySelectorAll("*")]
          .filter(one => [...one.childNodes].some(node => node.nodeType === 3 && node.textContent.trim()))
          .map(one => parseFloat(getComputedStyle(one).fontSize)))"""
    )
    assert smallest >= 16
