"""Rules of thumb on deep networks, and what their figure shows, follow the trainings."""

import pandas as pd
import pytest

from gradflow.lesson.experiments import telephone
from gradflow.lesson.numbers import percent
from gradflow.lesson.sections import deep as deep_section


def trainings(finals):
    """One epoch of two seeds that end at these accuracies, by activation and setting."""
    return pd.DataFrame(
        [
            {"activation": name, "setting": setting, "seed": seed, "epoch": epoch, "accuracy": epoch * accuracy}
            for (name, setting), accuracy in finals.items()
            for seed in (0, 1)
            for epoch in (0, 1)
        ]
    )


ACCURACIES = {  # columns: settings of the telephone game
    "sigmoid": (0.10, 0.10, 0.93, 0.96, 0.96),
    "tanh": (0.18, 0.88, 0.93, 0.97, 0.78),
    "relu": (0.10, 0.92, 0.89, 0.95, 0.76),
    "gelu": (0.10, 0.89, 0.94, 0.97, 0.66),
}
MEASURED = {
    (name, setting.name): accuracy
    for name, accuracies in ACCURACIES.items()
    for setting, accuracy in zip(telephone.SETTINGS, accuracies, strict=True)
}


def test_rules_of_thumb_follow_the_trainings():
    rules = [rule.text for rule in deep_section.rules(trainings(MEASURED))]
    assert rules[0].startswith("In hidden layers, use the initialisation that fits the activation: it matters more")
    assert rules[1].startswith("Use sigmoid in the hidden layers of a deep network only with")
    assert rules[2].endswith("(Zhang et al. 2019, arXiv:1901.09321; here tanh, relu, gelu).")
    alike = trainings(dict.fromkeys(MEASURED, 0.9))
    assert [rule.text for rule in deep_section.rules(alike)] == [
        "In hidden layers, compare initialisations as well as activations.",
        "Compare ways of building a deep sigmoid network before you choose one.",
        "With residual connections, compare initial weights of several sizes.",
        "Compare over several seeds.",
    ]


def test_how_much_the_building_and_the_activation_change_the_accuracy():
    by_building, by_activation = deep_section.spreads(trainings(MEASURED))
    assert by_building == pytest.approx((0.86 + 0.79 + 0.85 + 0.87) / 4)
    assert by_activation == pytest.approx((0.08 + 0.82 + 0.05 + 0.02 + 0.30) / 5)


def test_rules_of_thumb_are_told_with_the_numbers_of_the_trainings():
    told = [rule.measured.replace("\N{NO-BREAK SPACE}", " ") for rule in deep_section.rules(trainings(MEASURED))]
    assert told == [
        "With He initialisation, 20 layers of tanh, relu or gelu end at a test accuracy of 88 % to 92 %; with the "
        "default, at 10 % to 18 %.",
        "20 sigmoid layers end at a test accuracy of 93 % with BatchNorm, 96 % with residual connections, and 10 % "
        "with He initialisation alone.",
        "20 layers with skips end at a test accuracy of 95 % to 97 % from the default weights, and at 66 % to 78 % "
        "from those of He, which are larger.",
        "2 seeds of the same network (gelu, BatchNorm) differ by up to 0.0 points.",
    ]


def test_seeds_are_told_by_the_network_in_which_they_differ_most():
    trained = trainings(MEASURED)
    one = (trained["activation"] == "tanh") & (trained["setting"] == telephone.BOTH) & (trained["epoch"] == 1)
    trained.loc[one & (trained["seed"] == 1), "accuracy"] += 0.02
    *_, seeds = deep_section.rules(trained)
    assert seeds.measured == (
        "2 seeds of the same network (tanh, He initialisation and residual) differ by up to 2.0 points."
    )
    *_, both = deep_section.table(trained).rows
    assert both[2] == f"{percent(0.79, 1)} (78.0 to 80.0)"


def test_who_learns_is_told_by_the_way_of_building():
    found = deep_section.figure(trainings(MEASURED)).found
    assert found.endswith(
        "With default initialisation, none; with He initialisation, all but sigmoid; with BatchNorm, all; with "
        "residual, all."
    )
    two = {key: 0.1 if key[0] in ("sigmoid", "relu") else 0.9 for key in MEASURED}
    assert "With default initialisation, tanh and gelu;" in deep_section.figure(trainings(two)).found
