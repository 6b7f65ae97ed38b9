"""The playground's judgement, words and addresses, against cases worked out by hand."""

import math

import pytest
from browsers import browser_page, needs_browser

pytestmark = [pytest.mark.slow, needs_browser]


@pytest.fixture(scope="module")
def page(live_only):
    with browser_page(width=1000, noise=("error", "warning")) as page:
        page.goto((live_only / "index.html").as_uri())
        page.locator("html[data-started]").wait_for()
        yield page


def bend(page, logit):
    """Of a network whose logit at cell (row, column) of 50 x 50 this is."""
    region = [1 / (1 + math.exp(-logit(k // 50, k % 50))) for k in range(2500)]
    return page.evaluate("region => lesson.findings.bend({ region })", region)


def test_the_border_of_a_plane_is_straight_and_that_of_a_ring_is_bent(page):
    assert bend(page, lambda row, column: 0.1 * row - 0.05 * column + 0.3) == pytest.approx(0, abs=1e-9)
    assert bend(page, lambda row, column: (row - 24.5) ** 2 / 100 + (column - 24.5) ** 2 / 100 - 2) == pytest.approx(1)
    assert bend(page, lambda row, column: 0.2) == 0


def test_a_half_plane_with_a_bulge_is_explained_in_part(page):
    """For z = u + v² with u, v standardised and symmetric, the plane explains var u / (var u + var v²)."""
    step = math.sqrt((50**2 - 1) / 12)
    u = [(k - 24.5) / step for k in range(50)]
    fourth = sum(value**4 for value in u) / 50
    expected = 1 - 1 / (1 + (fourth - 1))
    assert bend(page, lambda row, column: u[row] + u[column] ** 2) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("ratio", "share", "analogy"),
    [
        (0, "nothing", "silence"),
        (1, "all", "as loud as at the output"),
        (12, "12\u00a0times", "as loud as at the output"),
        (1 / 3, "1/3", "a kilometre shrunk to 330\u00a0m"),
        (1 / 1234, "1/1,200", "a kilometre shrunk to 81\u00a0cm"),
        (7e-6, "1/140,000", "a kilometre shrunk to 7\u00a0mm, a pea"),
        (9.996e-7, "1/1\u00a0million", "a kilometre shrunk to 1\u00a0mm, a grain of sand"),
        (3.2e-7, "1/3.1\u00a0million", "a kilometre shrunk to 320\u00a0µm, a grain of sand"),
        (2e-20, "1/10²⁰", "a kilometre shrunk to less than an atom"),
    ],
)
def test_small_numbers_have_a_picture(page, ratio, share, analogy):
    said = page.evaluate("ratio => [lesson.words.share(ratio), lesson.words.analogy(ratio)]", ratio)
    assert said == [share, analogy]


def test_a_message_that_grew_is_told_in_another_way_than_one_that_faded(page):
    told = page.evaluate("[12, 1, 0.25].map(lesson.words.heard)")
    assert told == ["it 12\u00a0times as loud", "all of it", "1/4 of it"]


def read(page, hash_):
    return page.evaluate("hash => lesson.address.read(hash)", hash_)


@pytest.mark.parametrize(
    "hash_",
    [
        "#play",
        "#play&preset=he-or-not",
        "#play&preset=he-or-not&seed=7",
        "#play&data=spiral&noise=0.25&depth=10&width=8&optimizer=sgd&batch=300&seed=3",
        "#play&a=elu,rate:0.03,initialisation:xavier,normalisation:batch,residual:yes,bias:-1,alpha:0.5&b=none",
        "#play&depth=2&b=rrelu,lower:0.1,upper:0.2",
    ],
)
def test_an_address_comes_back_as_it_was(page, hash_):
    found = read(page, hash_)
    assert found["complaint"] == ""
    assert page.evaluate("settings => lesson.address.write(settings)", found["settings"]) == hash_


def test_an_address_says_what_it_means(page):
    settings = read(page, "#play&data=moons&depth=9&a=tanh&b=leaky_relu,negative_slope:0.2,residual:yes")["settings"]
    assert (settings["data"], settings["depth"], settings["width"]) == ("moons", 9, 16)
    a, b = settings["networks"]
    assert (a["activation"], a["residual"], a["parameters"]) == ("tanh", False, {})
    assert (b["activation"], b["residual"], b["parameters"]) == ("leaky_relu", True, {"negative_slope": 0.2})


@pytest.mark.parametrize(
    ("garbage", "said", "key", "value"),
    [
        ("depth=99", "depth cannot be “99”, so it is 30", "depth", 30),
        ("depth=-1", "depth cannot be “-1”, so it is 1", "depth", 1),
        ("depth=2.5", "depth cannot be “2.5”, so it is 3", "depth", 3),
        ("noise=NaN", "noise cannot be “NaN”, so it is 0.1", "noise", 0.1),
        ("width=", "width cannot be “”, so it is 16", "width", 16),
        ("width=Infinity", "width cannot be “Infinity”, so it is 32", "width", 32),
        ("batch=40", "batch cannot be “40”, so it is 32", "batch", 32),
        ("data=constructor", "data cannot be “constructor”, so it is circles", "data", "circles"),
        ("colour=red", "“colour” is not a setting", "depth", 4),
        ("__proto__=1", "“__proto__” is not a setting", "depth", 4),
        ("preset=toString", "no preset is called “toString”", "depth", 4),
        ("%E0%A4%A", "“%E0%A4%A” is not a setting", "depth", 4),
    ],
)
def test_garbage_in_an_address_becomes_one_sentence_and_the_nearest_value(page, garbage, said, key, value):
    found = read(page, f"#play&{garbage}")
    assert found["complaint"] == f"Not everything in this link makes sense: {said}."
    assert found["settings"][key] == value
    page.evaluate("settings => void lesson.session(settings).look()", found["settings"])


@pytest.mark.parametrize(
    ("network", "said", "key", "value"),
    [
        ("foo", "a cannot be “foo”, so it is sigmoid", "activation", "sigmoid"),
        ("valueOf", "a cannot be “valueOf”, so it is sigmoid", "activation", "sigmoid"),
        ("tanh,rate:0.02", "a's rate cannot be “0.02”, so it is 0.03", "rate", 0.03),
        ("tanh,rate:-1", "a's rate cannot be “-1”, so it is 0.0001", "rate", 0.0001),
        ("tanh,alpha:1", "“alpha” is not a setting of tanh", "activation", "tanh"),
        ("elu,alpha:9", "a's alpha cannot be “9”, so it is 3", "parameters", {"alpha": 3}),
        (
            "rrelu,lower:0.5,upper:0.2",
            "A's largest slope is not under its smallest: both are 0.5",
            "parameters",
            {"lower": 0.5, "upper": 0.5},
        ),
        ("tanh,residual:maybe", "a's residual cannot be “maybe”, so it is no", "residual", False),
    ],
)
def test_garbage_in_a_network_too(page, network, said, key, value):
    found = read(page, f"#play&a={network}")
    assert found["complaint"] == f"Not everything in this link makes sense: {said}."
    assert found["settings"]["networks"][0][key] == value
    page.evaluate("settings => void lesson.session(settings).look()", found["settings"])


def test_one_hidden_layer_has_no_skip(page):
    found = read(page, "#play&depth=1&a=relu,residual:yes")
    assert not found["settings"]["networks"][0]["residual"]
    assert "A has no skip connections" in found["complaint"]
