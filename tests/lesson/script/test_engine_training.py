"""Networks that train in the page against the same ones in torch, in a real browser, in float64."""

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from browsers import needs_browser
from engine_networks import Case, HandedSlopes, as_lists, network, tensors
from engine_page import engine_page
from torch import Tensor

from gradflow import CONF

pytestmark = [pytest.mark.slow, needs_browser]

STEPS, POINTS, BATCH = 20, 40, 10
ACTIVATIONS = sorted({file.stem for file in (CONF / "activation").glob("*.yaml")} - {"custom", "maxout"})
CASES = [
    *(Case(name, optimizer=("sgd", "adam")[i % 2]) for i, name in enumerate(ACTIVATIONS)),
    *(Case(name, optimizer=("adam", "sgd")[i % 2], normalisation="batch") for i, name in enumerate(ACTIVATIONS)),
    Case("leaky_relu", {"negative_slope": 0.3}, residual=True),
    Case("elu", {"alpha": 2.5}, "adam", "layer"),
    Case("celu", {"alpha": 0.5}, "adam"),
    Case("softplus", {"beta": 3.0, "threshold": 2.0}, residual=True, rate=0.01),
    Case("hardtanh", {"min_val": -0.5, "max_val": 2.0}, "adam", "layer"),
    Case("prelu", {}, "adam", "layer", residual=True),
    Case("rrelu", {"lower": 0.0, "upper": 0.5}, "sgd", "layer"),
    Case("gelu", normalisation="batch", residual=True, depth=4, width=7),
    *(Case("sigmoid", optimizer=one, depth=1, width=2, residual=True) for one in ("sgd", "adam")),
    *(Case("silu", optimizer=one, depth=1, width=5) for one in ("sgd", "adam")),
    *(Case("sigmoid", optimizer=one, depth=30, width=4) for one in ("sgd", "adam")),
    Case("tanh", {}, "adam", "none", residual=True, depth=30, width=5, rate=0.003),
    Case("mish", {}, "sgd", "batch", residual=True, depth=30, width=4, rate=0.001),
    Case("prelu", {}, "adam", "layer", residual=True, depth=30, width=5, rate=0.001),
]


def experiment() -> dict[str, Any]:
    """Points of two classes, and the batches of all steps, the last one of each epoch shorter."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=(POINTS, 2))
    order = [generator.permutation(POINTS)[: BATCH if step % 4 else BATCH - 3] for step in range(STEPS)]
    return {"x": x.ravel().tolist(), "y": (x.prod(axis=1) > 0).astype(int).tolist(), "batches": order}


def slopes_of_a_step(case: Case, step: int) -> list[Tensor]:
    """What a random activation draws in a step, for each block and entry of a whole batch."""
    generator = torch.Generator().manual_seed(step)
    lower, upper = case.parameters.get("lower", 0.125), case.parameters.get("upper", 1 / 3)
    shape = case.depth, BATCH, case.width
    return list(lower + (upper - lower) * torch.rand(shape, generator=generator, dtype=torch.float64))


@pytest.fixture(scope="module")
def engine():
    with engine_page() as engine:
        yield engine


@pytest.fixture(scope="module")
def trained(engine):
    """Of every case the loss of every step and the gradients of every layer's tensors."""
    made = experiment()
    batches = [batch.tolist() for batch in made["batches"]]
    handed = []
    for case in CASES:
        one: dict[str, Any] = {"weights": [as_lists(tensors(network(case, random_slopes=True)))], "batches": batches}
        if case.activation == "rrelu":
            one["draws"] = [[s.flatten().tolist() for s in slopes_of_a_step(case, step)] for step in range(STEPS)]
        handed.append({"settings": case.settings(points=POINTS, batch=BATCH), "handed": one})
    return engine(
        """({ data, cases, steps }) => cases.map(({ settings, handed }) => {
          const session = lesson.session(settings, { ...handed, data });
          const [trainee] = session.trainees;
          return Array.from({ length: steps }, () => {
            session.advance(1);
            const gradients = trainee.network.layers.map(layer => Object.fromEntries(
              Object.entries(layer.gradients).map(([name, tensor]) => [name, Array.from(tensor)])));
            return { loss: trainee.loss, gradients };
          });
        })""",
        {"data": {"x": made["x"], "y": made["y"]}, "cases": handed, "steps": STEPS},
    )


def in_torch(case: Case) -> list[tuple[float, list[dict[str, np.ndarray]]]]:
    """The same in torch."""
    made, built = experiment(), network(case, random_slopes=True)
    x, y = torch.tensor(made["x"], dtype=torch.float64).view(-1, 2), torch.tensor(made["y"])
    kind = torch.optim.SGD if case.optimizer == "sgd" else torch.optim.Adam
    optimizer = kind(built.parameters(), lr=case.rate)
    steps = []
    for step, rows in enumerate(made["batches"]):
        for block, slopes in zip(built.blocks, slopes_of_a_step(case, step), strict=True):
            if isinstance(block.activation, HandedSlopes):
                block.activation.slopes = slopes[: len(rows)]
        optimizer.zero_grad()
        loss = F.cross_entropy(built(x[rows]), y[rows])
        loss.backward()
        gradients = [
            {name: one.grad.flatten().numpy().copy() for name, one in layer.items()} for layer in tensors(built)
        ]
        steps.append((loss.item(), gradients))
        optimizer.step()
    return steps


@pytest.mark.parametrize("index", range(len(CASES)), ids=list(map(str, CASES)))
def test_losses_and_gradients_of_twenty_steps_are_those_of_torch(trained, index):
    ours, theirs = trained[index], in_torch(CASES[index])
    np.testing.assert_allclose([step["loss"] for step in ours], [loss for loss, _ in theirs], rtol=1e-9)
    for mine, (_, expected) in zip(ours, theirs, strict=True):
        for layer, reference in zip(mine["gradients"], expected, strict=True):
            # A bias before batch normalisation has no gradient but rounding: it counts within its layer.
            for names in (("weight", "bias"), ("scale", "shift"), ("slope",)):
                vector = np.concatenate([layer[name] for name in names])
                true = np.concatenate([reference.get(name, []) for name in names])
                assert np.linalg.norm(vector - true) <= 1e-9 * np.linalg.norm(true)
