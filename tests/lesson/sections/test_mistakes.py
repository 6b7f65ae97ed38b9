"""Failing and mended lines are run; what is said of the mistakes follows the trainings."""

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gradflow.lesson.experiments import dead_units, deep, mistakes, telephone
from gradflow.lesson.sections.mistakes import STORIES, Measured, section
from gradflow.lesson.sections.mistakes_code import CODE


def run(lines, **names):
    """What the lines leave behind, given PyTorch and these names."""
    left = {"torch": torch, "nn": nn, "F": F, **names}
    exec(lines, left)
    return left


def test_every_mistake_has_its_lines():
    assert CODE.keys() == STORIES.keys()


def test_the_lines_of_the_deep_network_build_what_is_trained():
    for lines, options in ((CODE["deep_sigmoid"].failing, {}), (CODE["deep_sigmoid"].mended, {"norm": "batch"})):
        written = run(lines, layers=[])["layers"]
        trained = deep.fit.make_mlp(nn.Sigmoid, blocks=deep.BLOCKS, width=deep.WIDTH, seed=0, **options)
        leaves = [one for one in trained.blocks.modules() if isinstance(one, nn.Linear | nn.BatchNorm1d | nn.Sigmoid)]
        assert [type(one) for one in written] == [type(one) for one in leaves]
        assert nn.Sequential(*written)(torch.ones(2, 64)).shape == (2, 64)
        assert len({id(one) for one in written}) == len(written)


def test_the_mended_weights_are_hes_and_the_failing_ones_are_too_small():
    torch.manual_seed(0)
    failing, mended = (run(lines)["layer"].weight.detach().std() for lines in CODE["weights"])
    assert float(mended) == pytest.approx((2 / 64) ** 0.5, rel=0.05)
    assert float(failing) == pytest.approx((1 / 3 / 64) ** 0.5, rel=0.05)


def test_the_lines_at_the_output_are_the_losses_that_are_trained():
    torch.manual_seed(0)
    hidden, x, y = nn.Linear(5, 64), torch.randn(8, 5), torch.randint(10, (8,))
    network = nn.Sequential(hidden, nn.Linear(64, 10))
    failing, mended = (run(lines, network=network, x=x, y=y)["loss"] for lines in CODE["loss"])
    assert failing == mistakes.softmax_twice(network(x), y)
    assert mended == F.cross_entropy(network(x), y)
    bent, straight = (run(lines, hidden=hidden)["network"] for lines in CODE["output"])
    assert [type(one) for one in bent] == [*(type(one) for one in straight), type(mistakes.WAYS["output"].mistake)]
    assert (straight(x) < 0).any()


def test_the_loop_starts_again_at_a_tenth_of_the_rate_until_few_units_are_dead():
    rates = []
    z = {0.05: torch.tensor([[-1.0, 2.0], [-3.0, 1.0]]), 0.005: torch.tensor([[-1.0, 2.0], [3.0, 1.0]])}
    names = {
        "make_network": lambda: "network",
        "train": lambda network, rate: rates.append(rate),
        "hidden": lambda network, x: z[round(rates[-1], 6)],
        "x": None,
    }
    run(CODE["rate"].failing, **names)
    run(CODE["rate"].mended, **names)
    assert rates == pytest.approx([dead_units.HIGH_RATE, dead_units.HIGH_RATE, dead_units.HIGH_RATE / dead_units.CUT])


def measured(*, worst=0.7):
    accuracies = {("sigmoid", telephone.PLAIN): 0.1, ("sigmoid", telephone.BATCHNORM): 0.93}
    accuracies |= {("relu", telephone.PLAIN): 0.11, ("relu", telephone.RIGHT): 0.89}
    return Measured(
        deep=pd.DataFrame(
            [
                {"activation": name, "setting": setting, "seed": 0, "epoch": epoch, "accuracy": epoch * accuracy}
                for (name, setting), accuracy in accuracies.items()
                for epoch in (0, 1)
            ]
        ),
        dead={
            dead_units.RATE_CAUSE: {
                dead_units.FAILS: training(dead=0.46, accuracy=0.78),
                dead_units.LOWER: training(dead=0.05, accuracy=0.97),
            }
        },
        shallow={
            mistakes.OUTPUT: mistakes.Pair(np.array([[0.1, worst], [0.1, 0.92]]), np.array([[0.1, 0.96], [0.1, 0.96]])),
            mistakes.LOSS: mistakes.Pair(np.array([[0.1, 0.58]]), np.array([[0.1, 0.94]])),
        },
        gradient_share=0.1,
        seeds=2,
    )


def training(*, dead, accuracy):
    return dead_units.Training(np.array([0.0, dead]), np.array([0.1, accuracy]), np.zeros((2, 4), dtype=bool))


def test_the_words_are_those_of_the_trainings():
    made = section(measured())
    told = {part.name: part.why.replace("\N{NO-BREAK SPACE}", " ") for part in made.parts}
    assert told["mistake_weights"].endswith("Test accuracy ends at 11 %; mended, at 89 %.")
    assert told["mistake_deep_sigmoid"].endswith("Test accuracy ends at 10 %; mended, at 93 %.")
    assert "Here 46 % end up dead; mended, 5 %. Test accuracy ends at 78 %; mended, at 97 %." in told["mistake_rate"]
    assert "the gradient at the outputs is 0.1 of what it should be" in told["mistake_loss"]
    assert [rule.measured.count("%") for rule in made.rules] == [4]


def test_a_mistake_that_harms_by_chance_is_told_with_its_range():
    for worst, is_told in ((0.7, True), (0.9, False)):
        (told,) = [part.why for part in section(measured(worst=worst)).parts if part.name == "mistake_output"]
        told = told.replace("\N{NO-BREAK SPACE}", " ")
        assert ("of the 2 seeds, the worst ends at 70 %, the best at 92 %" in told) == is_told
        assert f"Test accuracy ends at {'81' if is_told else '91'} %; mended, at 96 %." in told


def test_each_way_has_its_own_chart_with_what_it_reached():
    for part in section(measured()).parts:
        assert len(part.figure.panels) == len(part.ways) == 2
        ends = [panel.chart.data.to_dict()["values"][-1] for panel in part.figure.panels]
        assert all(end["epoch"] == 1 and end["label"].endswith("%") for end in ends)
        assert part.figure.found == part.why


def test_without_measurements_there_are_words_and_code_alone():
    made = section(None)
    assert [part.figure for part in made.parts] == [None] * len(STORIES)
    assert not made.figures
    assert not any("ends at" in part.why for part in made.parts)
