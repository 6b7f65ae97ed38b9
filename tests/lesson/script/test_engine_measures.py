"""What the page measures of its networks against the package's own meters, in a real browser, in float64."""

from typing import Any, cast

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from browsers import needs_browser
from engine_networks import Case, as_lists, network, tensors
from engine_page import engine_page
from torch import Tensor, nn

import gradflow
from gradflow import activations
from gradflow.models.mlp import MLP

pytestmark = [pytest.mark.slow, needs_browser]

POINTS = 60
CASES = [
    Case("relu", depth=4, width=8, bias=-0.7),
    Case("leaky_relu", {"negative_slope": 0.01}, depth=4, width=8, bias=-0.7),
    Case("sigmoid", depth=10, width=6),
    Case("sigmoid", depth=10, width=6, normalisation="batch"),
    Case("tanh", depth=5, width=6, bias=4.0),
    Case("gelu", depth=5, width=6, bias=-3.0),
    Case("relu6", depth=3, width=6, bias=5.0, residual=True),
    Case("hardtanh", {"min_val": -0.5, "max_val": 0.5}, depth=3, width=6, bias=0.8, normalisation="layer"),
    Case("rrelu", depth=3, width=6),
    Case("prelu", depth=2, width=6),
    Case("silu", depth=1, width=6),
]


@pytest.fixture(scope="module")
def engine():
    with engine_page() as engine:
        yield engine


@pytest.fixture(scope="module")
def seen(engine):
    """Of every case the points to train and test on, and the engine's look at the network before training."""
    handed = [
        {
            "settings": case.settings(data="moons", noise=0.3, points=POINTS),
            "weights": [as_lists(tensors(network(case)))],
        }
        for case in CASES
    ]
    return engine(
        """cases => cases.map(({ settings, weights }) => {
          const session = lesson.session(settings, { weights });
          return { data: session.data, test: session.test, look: session.look().networks[0] };
        })""",
        handed,
    )


def points_of(part: dict[str, Any]) -> tuple[Tensor, Tensor]:
    return torch.tensor(part["x"], dtype=torch.float64).view(-1, 2), torch.tensor(part["y"])


def measured(built: MLP, x: Tensor, y: Tensor) -> dict[str, float]:
    """Every tag of the package's monitors, from one pass over all points with the batch's own statistics."""
    optimizer = torch.optim.SGD(built.parameters(), lr=0.0)
    for one in built.modules():
        one.train(not isinstance(one, nn.RReLU))  # the mean slope, no draws
    with gradflow.watch(built, optimizer) as watch:
        with watch.validation():
            loss = F.cross_entropy(built(x), y)
        loss.backward()
        optimizer.step()
    return {tag: float(curve.values[0]) for tag, curve in watch.results().items()} | {"loss": loss.item()}


def with_statistics_of(built: MLP, x: Tensor) -> MLP:
    """In evaluation mode, batch normalisation with mean and biased variance of these points."""
    handles = []
    for layer in built.modules():
        if isinstance(layer, nn.BatchNorm1d):

            def keep(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
                cast(Tensor, module.running_mean).copy_(inputs[0].mean(0))
                cast(Tensor, module.running_var).copy_(inputs[0].var(0, correction=0))

            handles.append(layer.register_forward_pre_hook(keep))
    built.eval()
    with torch.no_grad():
        built(x)
    for handle in handles:
        handle.remove()
    return built


@pytest.mark.parametrize("index", range(len(CASES)), ids=list(map(str, CASES)))
def test_gradients_low_slopes_and_dead_units_are_what_the_monitors_say(seen, index):
    case, look = CASES[index], seen[index]["look"]
    tags = measured(network(case), *points_of(seen[index]["data"]))
    of_layers = {
        kind: [value for tag, value in sorted(tags.items()) if tag.startswith(f"{kind}/") and "total" not in tag]
        for kind in ("grad_norm", "grad_rms", "low_slope", "dead_units")
    }
    np.testing.assert_allclose(look["loss"], tags["loss"], rtol=1e-9)
    np.testing.assert_allclose(look["gradientNorms"], of_layers["grad_norm"], rtol=1e-9)
    np.testing.assert_allclose(look["gradientRms"], of_layers["grad_rms"], rtol=1e-9)
    np.testing.assert_allclose(look["lowSlope"], of_layers["low_slope"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(look["dead"], of_layers["dead_units"], rtol=0, atol=1e-12)
    gain = tags.get("grad_flow/gain_per_layer")
    assert look["gainPerLayer"] == (pytest.approx(gain, rel=1e-9) if gain is not None else None)


def test_the_cases_have_units_that_are_dead_and_others(seen):
    dead = {str(case): np.array(one["look"]["dead"]) for case, one in zip(CASES, seen, strict=True)}
    assert ((dead[str(CASES[0])] > 0) & (dead[str(CASES[0])] < 1)).any()
    assert dead[str(CASES[1])].max() == 0


@pytest.mark.parametrize("index", range(len(CASES)), ids=list(map(str, CASES)))
def test_units_scores_and_region_are_those_of_the_network(seen, index):
    case, look = CASES[index], seen[index]["look"]
    x, y = points_of(seen[index]["data"])
    built = with_statistics_of(network(case), x)
    slopes: list[np.ndarray] = []
    for block in built.blocks:
        block.activation.register_forward_pre_hook(
            lambda module, inputs: slopes.append(activations.slope(module, inputs[0]).abs().amax(0).numpy())
        )
    with torch.no_grad():
        accuracy = (built(x).argmax(1) == y).double().mean().item()
        parts = np.stack(slopes) / [[activations.largest_slope(block.activation)] for block in built.blocks]
        x_test, y_test = points_of(seen[index]["test"])
        outputs = built(x_test)
        test_loss = F.cross_entropy(outputs, y_test).item()
        test_accuracy = (outputs.argmax(1) == y_test).double().mean().item()
        edges = torch.linspace(-1.5, 1.5, look["cells"] + 1, dtype=torch.float64)
        centres = (edges[1:] + edges[:-1]) / 2
        down, across = torch.meshgrid(centres, centres, indexing="ij")
        region = built(torch.stack([across.flatten(), down.flatten()], dim=1)).softmax(1)[:, 1]
    assert (look["accuracy"], look["testAccuracy"]) == pytest.approx((accuracy, test_accuracy), rel=1e-12)
    assert look["testLoss"] == pytest.approx(test_loss, rel=1e-9)
    np.testing.assert_allclose(look["units"], parts, rtol=1e-6, atol=1e-15)  # the largest slope's last digits
    np.testing.assert_allclose(look["region"], region.numpy(), atol=1e-6)  # float32


def test_test_points_are_others_than_those_trained_on(seen):
    assert not set(seen[0]["data"]["x"]) & set(seen[0]["test"]["x"])


@pytest.mark.parametrize("initialisation", ["torch", "he", "xavier", "lecun"])
def test_initial_weights_are_one_draw_scaled_by_the_scheme(engine, initialisation):
    case = {"initialisation": initialisation, "bias": 0.5}
    relu, sigmoid = engine(
        """network => lesson.session({ depth: 2, width: 60, networks: [
          { activation: "relu", ...network }, { activation: "sigmoid", ...network }] })
          .trainees.map(trainee => trainee.network.layers)""",
        case,
    )
    gains = {"torch": 1, "lecun": 1, "he": 2**0.5, "xavier": 2**0.5}
    for layer, other, gain in zip(relu, sigmoid, [*[gains[initialisation]] * 2, 1], strict=True):
        np.testing.assert_allclose(layer["weight"], gain * np.array(other["weight"]))
    inputs, units = 60, 60
    weight, bias = np.array(relu[1]["weight"]), np.array(relu[1]["bias"]) - 0.5
    expected = {
        "torch": (3 * inputs) ** -0.5,
        "he": (2 / inputs) ** 0.5,
        "xavier": 2**0.5 * (2 / (inputs + units)) ** 0.5,
        "lecun": inputs**-0.5,
    }[initialisation]
    assert weight.std() == pytest.approx(expected, rel=0.05)  # four standard errors
    if initialisation == "torch":
        assert np.abs(weight).max() < inputs**-0.5 > np.abs(bias).max() > 0.5 * inputs**-0.5
        assert np.abs(relu[2]["bias"]).max() > 0
    else:
        assert np.abs(weight).max() > 3 * expected
        assert bias.tolist() == [0.0] * units
        assert relu[2]["bias"] == [0, 0]


def test_a_diverged_network_stops_and_does_not_harm_the_other(engine):
    alone, both, over, weights = engine(
        """() => {
          const calm = { activation: "tanh", rate: 0.1 };
          const wild = { activation: "leaky_relu", rate: 1e6 };
          const make = (...networks) => lesson.session({ optimizer: "sgd", width: 8, networks });
          const [alone, both, over] = [make(calm), make(calm, wild), make(wild, wild)];
          const before = alone.look().networks[0].loss;
          for (const session of [alone, both, over]) session.advance(100);
          const weights = Array.from(both.trainees[1].network.parameters);
          both.advance(100);
          alone.advance(100);
          const same = both.trainees[1].network.parameters.every((value, i) => Object.is(value, weights[i]));
          return [[before, alone.look()], both.look(), { step: over.step, over: over.over() }, same];
        }"""
    )
    before, alone = alone
    calm, wild = both["networks"]
    assert calm == alone["networks"][0]
    assert calm["loss"] < before
    assert (calm["diverged"], wild["diverged"]) == (False, True)
    assert both["step"] == 200
    assert over["over"]
    assert over["step"] < 100
    assert weights


def test_batches_are_every_point_once_an_epoch_in_a_new_order(engine):
    batches = engine(
        """() => [[65, 32], [10, 10]].map(([points, batch]) => {
          const next = lesson.batches({ points, batch, seed: 0 });
          return [1, 2, 3, 4, 5].map(() => Array.from(next()));
        })"""
    )
    assert [len(batch) for batch in batches[0]] == [32, 32, 32, 32, 32]  # the 65th point alone is left out
    first, second = ([*a, *b] for a, b in [batches[0][:2], batches[0][2:4]])
    assert len(set(first)) == len(set(second)) == 64
    assert first != second
    assert set(first) | set(second) <= set(range(65))
    assert batches[1] == [list(range(10))] * 5


def test_the_same_seed_is_the_same_experiment_and_another_seed_another(engine):
    losses = engine(
        """() => [0, 0, 1].map(seed => {
          const session = lesson.session({ seed, networks: [{ activation: "rrelu" }, { activation: "rrelu" }] });
          session.advance(20);
          return session.look().networks.map(network => network.loss);
        })"""
    )
    assert losses[0] == losses[1] != losses[2]
    assert losses[0][0] == losses[0][1]  # the same draws for both networks


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"depth": 31}, "depth=31: choose a whole number from 1 to 30"),
        ({"width": 2.5}, "width=2.5: choose a whole number from 1 to 64"),
        ({"noise": "much"}, "noise=much: choose a number from 0 to 1"),
        ({"data": "rings"}, "data=rings: choose one of circles, moons, xor, spiral"),
        (
            {"networks": [{"activation": "relu", "parameters": {"alpha": 1}}]},
            "alpha=1: relu takes no parameter; leave it out",
        ),
        (
            {"networks": [{"activation": "celu", "parameters": {"alpha": 0}}]},
            "alpha=0: celu divides by it; choose another number",
        ),
        (
            {"networks": [{"activation": "rrelu", "parameters": {"lower": 0.9}}]},
            "lower=0.9: choose at most upper=0.3333333333333333",
        ),
        (
            {"depth": 1, "networks": [{"residual": True}]},
            "residual=true: no block is as wide as its input; choose a depth of at least 2",
        ),
        (
            {"width": 1, "networks": [{"normalisation": "layer"}]},
            "normalisation=layer: one unit normalised by itself is always 0; choose a width of at least 2",
        ),
    ],
)
def test_settings_that_cannot_be_trained_are_refused_with_a_remedy(engine, settings, sentence):
    refuse = "settings => { try { lesson.session(settings); } catch (error) { return error.message; } }"
    assert engine(refuse, settings) == sentence


def test_neighbouring_limits_are_trained(engine):
    """The smallest and the deepest network."""
    small = {"depth": 1, "width": 1, "points": 10, "batch": 2, "networks": [{"activation": "relu"}]}
    deep = {"depth": 30, "width": 8, "networks": [{"activation": "tanh", "normalisation": "batch"}]}
    train = "settings => { const s = lesson.session(settings); s.advance(5); return s.look(); }"
    for settings, layers in ((small, 2), (deep, 31)):
        (look,) = engine(train, settings)["networks"]
        assert len(look["gradientNorms"]) == layers
        assert all(np.isfinite(look["gradientNorms"]))
