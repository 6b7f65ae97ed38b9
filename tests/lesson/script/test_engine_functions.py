"""The page's activation functions against the package's, in a real browser, in float64."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from browsers import needs_browser
from engine_page import engine_page
from hydra.utils import instantiate
from omegaconf import OmegaConf
from scipy import special, stats
from torch import nn

from gradflow import CONF, activations
from gradflow.activations.slopes import evaluate

pytestmark = needs_browser

NOT_IN_THE_PAGE = {"custom", "maxout"}  # no function of one input
NOT_CONTINUOUS = {"name", "_target_", "inplace", "num_parameters", "approximate"}
CONFIGURED = {
    file.stem: OmegaConf.to_container(OmegaConf.load(file))
    for file in sorted((CONF / "activation").glob("*.yaml"))
    if file.stem not in NOT_IN_THE_PAGE
}
VARIANTS: list[tuple[str, dict[str, float]]] = [
    *((name, {}) for name in CONFIGURED),
    ("leaky_relu", {"negative_slope": 0.3}),
    ("leaky_relu", {"negative_slope": 0.0}),
    ("prelu", {"init": 0.75}),
    ("rrelu", {"lower": 0.5, "upper": 1.0}),
    ("elu", {"alpha": 0.5}),
    ("elu", {"alpha": 2.5}),
    ("celu", {"alpha": 0.25}),
    ("celu", {"alpha": 2.0}),
    ("softplus", {"beta": 3.0, "threshold": 5.0}),
    ("softplus", {"beta": 0.5}),
    ("hardtanh", {"min_val": -0.5, "max_val": 2.0}),
]
KINKS = (-3.0, -1.0, -0.5, 0.0, 1.0, 2.0, 3.0, 5 / 3, 6.0, 20.0, 40.0)


def module(name: str, parameters: dict[str, float]) -> nn.Module:
    """The package's activation, in float64."""
    arguments: dict[str, Any] = {**CONFIGURED[name], **parameters}
    arguments.pop("name")
    return instantiate(arguments).double()


def grid() -> np.ndarray:
    """From -40 to 40, every kink with its neighbours, and far tails."""
    kinks = np.array(KINKS)
    beside = [np.nextafter(kinks, side) for side in (-math.inf, math.inf)]
    far = np.array([-1e300, -1e4, -745.5, -700.0, -100.0, 100.0, 700.0, 745.5, 1e4, 1e300])
    return np.unique(np.concatenate([np.linspace(-40, 40, 1601), kinks, *beside, -kinks, far]))


@pytest.fixture(scope="module")
def engine():
    with engine_page() as engine:
        yield engine


@pytest.fixture(scope="module")
def computed(engine):
    """Values, slopes, gain and largest slope of every variant."""
    return engine(
        """([variants, grid]) => variants.map(([name, p]) => ({
          value: grid.map(z => lesson.activations[name].value(z, p)),
          slope: grid.map(z => lesson.activations[name].slope(z, p)),
          gain: lesson.gain(name, p),
          largest: lesson.largestSlope(name, p),
        }))""",
        [VARIANTS, grid().tolist()],
    )


def test_every_activation_of_the_package_is_there_with_its_initial_parameters(engine):
    ours = engine("() => lesson.activations")
    described = {
        name: {parameter["key"]: parameter["initial"] for parameter in one["parameters"]} for name, one in ours.items()
    }
    configured = {
        name: {key: value for key, value in arguments.items() if key not in NOT_CONTINUOUS}
        for name, arguments in CONFIGURED.items()
    }
    assert described == configured
    assert all(
        parameter["least"] <= parameter["initial"] <= parameter["most"]
        for one in ours.values()
        for parameter in one["parameters"]
    )
    assert [name for name, one in ours.items() if one["learned"]] == ["prelu"]
    assert [name for name, one in ours.items() if one["random"]] == ["rrelu"]


@pytest.mark.parametrize("index", range(len(VARIANTS)), ids=[f"{name}{p or ''}" for name, p in VARIANTS])
def test_value_slope_gain_and_largest_slope_are_those_of_the_package(computed, index):
    ours, theirs, z = computed[index], module(*VARIANTS[index]), torch.from_numpy(grid())
    with torch.no_grad():
        value = evaluate(theirs, z).numpy()
    np.testing.assert_allclose(np.array(ours["value"], float), value, rtol=1e-12, atol=1e-12)
    slope = activations.slope(theirs, z).numpy()
    np.testing.assert_allclose(np.array(ours["slope"], float), slope, rtol=1e-12, atol=1e-12)
    assert ours["gain"] == pytest.approx(activations.gain(theirs), rel=1e-9)
    # The package searches a grid whose points are 0.002 apart where GELU, SiLU and Mish are steepest.
    assert ours["largest"] == pytest.approx(activations.largest_slope(theirs), rel=2e-7)


def test_what_is_not_a_number_stays_so(engine):
    assert engine("() => Object.values(lesson.activations).map(one => one.value(NaN))") == [None] * len(CONFIGURED)


def test_the_random_activation_takes_the_slope_that_is_drawn(engine):
    drawn = "() => [-2, 0, 2].flatMap(z => ['value', 'slope'].map(of => lesson.activations.rrelu[of](z, {}, 0.3)))"
    assert engine(drawn) == [-0.6, 0.3, 0, 0.3, 2, 1]


def test_the_error_function_is_exact_in_its_tails(engine):
    x = np.concatenate([np.linspace(-6, 6, 2401), np.linspace(6, 26, 401), [0.46875, 1e-300, 4.0, 30.0]])
    ours = np.array(engine("x => [x.map(lesson.erf.erf), x.map(lesson.erf.erfc)]", x.tolist()))
    np.testing.assert_allclose(
        ours, [special.erf(x), special.erfc(x)], rtol=1e-13, atol=0
    )  # scipy itself is 6e-14 off in the tail


def test_random_numbers_have_their_distribution_and_streams_of_their_own(engine):
    uniform, normal, integers, order, again, other, next_seed = engine(
        """() => {
          const many = (n, draw) => Array.from({ length: n }, draw);
          const a = lesson.random(3, "a");
          return [
            many(20000, lesson.random(0, "u").uniform), many(20000, lesson.random(0, "n").normal),
            many(20000, () => a.integer(7)), lesson.random(0, "p").permutation(500),
            ...[[0, "u"], [0, "v"], [1, "u"]].map(([seed, stream]) => many(3, lesson.random(seed, stream).uniform)),
          ];
        }"""
    )
    assert stats.kstest(uniform, "uniform").pvalue > 1e-3
    assert stats.kstest(normal, "norm").pvalue > 1e-3
    assert stats.chisquare(np.bincount(integers, minlength=7)).pvalue > 1e-3
    assert abs(np.corrcoef(normal[::2], normal[1::2])[0, 1]) < 0.04  # four standard errors
    assert sorted(order) == list(range(500)) != order
    assert again == uniform[:3]
    assert len({tuple(again), tuple(other), tuple(next_seed)}) == 3


@pytest.mark.parametrize("name", ["circles", "moons", "xor", "spiral"])
def test_data_lie_where_they_should_and_noise_is_normal(engine, name):
    make = """data => [0, 0.2].map(noise => lesson.datasets.make({ data, noise, points: 400, seed: 1 }))"""
    clean, noisy = engine(make, name)
    x, y = np.array(clean["x"]).reshape(-1, 2), np.array(clean["y"])
    assert y.tolist() == noisy["y"] == [0, 1] * 200
    assert np.abs(x).max() <= 1
    radius, angle = np.hypot(*x.T), np.arctan2(x[:, 0], x[:, 1])
    if name == "circles":
        np.testing.assert_allclose(radius, np.where(y, 0.45, 0.9))
    elif name == "xor":
        assert ((x.prod(axis=1) > 0) == (y == 1)).all()
    elif name == "moons":
        side = np.where(y, -1, 1)[:, None]
        moon = 1.5 * x * side + [0.5, 0.25]
        np.testing.assert_allclose(np.hypot(*moon.T), 1)
        assert (moon[:, 1] >= 0).all()
    else:
        turned = 2.5 * math.pi * (radius - 0.12) / 0.88 + math.pi * y - angle
        np.testing.assert_allclose(np.cos(turned), 1)
    added = (np.array(noisy["x"]) - np.array(clean["x"])) / 0.2
    assert stats.kstest(added, "norm").pvalue > 1e-3
