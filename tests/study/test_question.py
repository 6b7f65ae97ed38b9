"""What a study asks, by what it varies."""

import pytest
from forged_runs import scored_run

from gradflow.study.question import question


@pytest.mark.parametrize(
    ("records", "asked"),
    [
        ([scored_run("relu"), scored_run("tanh")], "Does the activation matter?"),
        ([scored_run(blocks=1), scored_run(blocks=8)], "What does depth do to a network with ReLU?"),
        ([scored_run(blocks=None)], "How well does a network with ReLU do?"),
        (
            [scored_run("relu", 0.9, axes={"optimizer.lr": lr}) for lr in (0.1, 0.2)],
            "Does the learning rate matter to a network with ReLU?",
        ),
        (
            [scored_run("relu", axes=axes, blocks=n) for axes in ({}, {"model.norm": "batch"}) for n in (1, 4)],
            "Does normalisation matter to a network with ReLU as it gets deeper?",
        ),
        (
            [scored_run(name, 0.9, axes={"optimizer.lr": lr}) for name in ("relu", "tanh") for lr in (0.1, 0.2)],
            "Does the activation matter, whatever the learning rate?",
        ),
        (
            [scored_run("relu", 0.9, axes=axes) for axes in ({}, {"model.residual": True})],
            "Do the residual connections matter to a network with ReLU?",
        ),
        (
            [scored_run(name, 0.9, axes=axes) for name in ("relu", "tanh") for axes in ({}, {"model.residual": True})],
            "Does the activation matter, with and without residual connections?",
        ),
        (
            [
                scored_run("relu", 0.9, blocks=blocks, axes={"model": model})
                for blocks, model in ((4, "mlp"), (None, "lenet5"))
            ],
            "Does the network matter to a network with ReLU?",
        ),
    ],
)
def test_the_question_is_about_what_varies(records, asked):
    assert question(records) == asked
