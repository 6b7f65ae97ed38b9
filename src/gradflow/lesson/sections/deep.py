"""Which activations train in a deep network."""

import functools
from collections.abc import Sequence

import pandas as pd

from gradflow.figures.table import Table
from gradflow.lesson import marks
from gradflow.lesson.experiments.deep import ACTIVATIONS, BLOCKS
from gradflow.lesson.experiments.fit import CLASSES
from gradflow.lesson.experiments.telephone import BATCHNORM, BOTH, PLAIN, RESIDUAL, RIGHT, SETTINGS
from gradflow.lesson.numbers import percent
from gradflow.lesson.section import Control, Figure, Panel, Remark, Rule

CHANCE = 2 / CLASSES  # an accuracy under twice that of guessing: nothing learned
NOTICEABLE = 0.02  # of accuracy: less is not called worse
_NAMES = list(ACTIVATIONS)


def figure(trained: pd.DataFrame) -> Figure:
    """The curves, from `deep.trainings`."""
    means = trained.groupby(["setting", "activation", "epoch"], as_index=False, sort=False)["accuracy"].mean()
    at_last = _final(trained)
    last = {setting.name: at_last.xs(setting.name, level="setting") for setting in SETTINGS}
    lines = functools.partial(
        marks.fractions_by_epoch, means, "accuracy", "test accuracy", by="activation", names=_NAMES
    )
    settings = {setting.name: setting.name for setting in SETTINGS}
    return Figure(
        name="deep",
        title="Deep networks: how they are built, and with which activation",
        found=_found(at_last),
        reading=f"Choose how the network is built. {BLOCKS} hidden layers on the digits, means of "
        f"{trained['seed'].nunique()} seeds; guessing scores {percent(1 / CLASSES)}.",
        controls=[Control("setting", "network", settings, PLAIN, is_slider=False)],
        legend=marks.line_legend(_NAMES),
        panels=[Panel("Test accuracy", lines(where="datum.setting === setting"), height=240)],
        picture=[Panel(name, lines(where=marks.same({"setting": name})), height=200) for name in settings],
        columns=3,
        remarks=[Remark({"setting": name}, {one: percent(last[name][one], 1) for one in _NAMES}) for name in settings],
    )


def _found(last: pd.Series) -> str:
    learns = {setting.name: [name for name in _NAMES if last[setting.name, name] >= CHANCE] for setting in SETTINGS}
    told = "; ".join(f"with {setting}, {_who(learns[setting])}" for setting in (PLAIN, RIGHT, BATCHNORM, RESIDUAL))
    return f"Which of the four learn at all, at least twice as well as guessing? {told[0].upper()}{told[1:]}."


def _who(names: Sequence[str]) -> str:
    """`none`, `all`, `all but sigmoid`, or the names."""
    missing = [name for name in _NAMES if name not in names]
    if not missing:
        return "all"
    if not names:
        return "none"
    return f"all but {missing[0]}" if len(missing) == 1 else " and ".join(names)


def table(trained: pd.DataFrame) -> Table:
    """Where each network ends: mean and range of the seeds."""
    finals, means = _finals(trained), _final(trained)
    rows = [
        [
            setting.name,
            *(_mean_and_range(means[setting.name, name], finals.loc[setting.name, name]) for name in _NAMES),
        ]
        for setting in SETTINGS
    ]
    return Table(
        f"Test accuracy with {BLOCKS} hidden layers after the last epoch: mean of the seeds (lowest to highest).",
        ["network", *_NAMES],
        rows,
    )


def rules(trained: pd.DataFrame) -> list[Rule]:
    """The rules of thumb that follow."""
    last = _final(trained)

    def ends(setting: str, names: Sequence[str]) -> str:
        low, high = (percent(find(last[setting, name] for name in names)) for find in (min, max))
        return low if low == high else f"{low} to {high}"

    others = [name for name in _NAMES if name != "sigmoid"]
    worse = [name for name in _NAMES if last[BOTH, name] < last[RESIDUAL, name] - NOTICEABLE]
    with_weights = worse or _NAMES
    without, with_norm, with_skips = (ends(setting, ["sigmoid"]) for setting in (RIGHT, BATCHNORM, RESIDUAL))
    return [
        Rule(
            _initialisation_rule(last, others),
            f"With He initialisation, {BLOCKS} layers of {', '.join(others[:-1])} or {others[-1]} end at a test "
            f"accuracy of {ends(RIGHT, others)}; with the default, at {ends(PLAIN, others)}.",
        ),
        Rule(
            "Use sigmoid in the hidden layers of a deep network only with BatchNorm or residual connections."
            if last[RIGHT, "sigmoid"] < CHANCE < min(last[BATCHNORM, "sigmoid"], last[RESIDUAL, "sigmoid"])
            else "Compare ways of building a deep sigmoid network before you choose one.",
            f"{BLOCKS} sigmoid layers end at a test accuracy of {with_norm} with BatchNorm, {with_skips} with residual "
            f"connections, and {without} with He initialisation alone.",
        ),
        Rule(
            _residual_rule(worse),
            f"{BLOCKS} layers with skips end at a test accuracy of {ends(RESIDUAL, with_weights)} from the default "
            f"weights, and at {ends(BOTH, with_weights)} from those of He, which are larger.",
        ),
        _seeds_rule(trained),
    ]


def _initialisation_rule(last: pd.Series, names: Sequence[str]) -> str:
    fits, default = ([last[setting, name] for name in names] for setting in (RIGHT, PLAIN))
    if min(fits) - max(default) > max(fits) - min(fits):
        return (
            "In hidden layers, use the initialisation that fits the activation: it matters more than the choice "
            "between tanh, ReLU and GELU."
        )
    return "In hidden layers, compare initialisations as well as activations."


def _residual_rule(worse: Sequence[str]) -> str:
    if not worse:
        return "With residual connections, compare initial weights of several sizes."
    return (
        "With residual connections, keep the initial weights small: the skips already carry the signal (Zhang et al. "
        f"2019, arXiv:1901.09321; here {', '.join(worse)})."
    )


def _seeds_rule(trained: pd.DataFrame) -> Rule:
    ranges = _finals(trained).groupby(level=["setting", "activation"]).agg(lambda values: values.max() - values.min())
    widest, (setting, activation) = float(ranges.max()), ranges.idxmax()
    return Rule(
        "Compare over several seeds.",
        f"{trained['seed'].nunique()} seeds of the same network ({activation}, {setting}) differ by up to "
        f"{100 * widest:.1f} points.",
    )


def spreads(trained: pd.DataFrame) -> tuple[float, float]:
    """Highest minus lowest final accuracy: over the settings, mean of the activations; and the other way round."""
    table = _final(trained).unstack()
    by_setting, by_activation = (float((table.max(axis=axis) - table.min(axis=axis)).mean()) for axis in (0, 1))
    return by_setting, by_activation


def _finals(trained: pd.DataFrame) -> pd.Series:
    """Accuracy after the last epoch by setting, activation and seed."""
    at_last = trained[trained["epoch"] == trained["epoch"].max()]
    return at_last.set_index(["setting", "activation", "seed"])["accuracy"].sort_index()


def _final(trained: pd.DataFrame) -> pd.Series:
    """Its mean over the seeds, by setting and activation."""
    return _finals(trained).groupby(level=["setting", "activation"]).mean()


def _mean_and_range(mean: float, accuracies: pd.Series) -> str:
    low, high = (f"{100 * value:.1f}" for value in (accuracies.min(), accuracies.max()))
    return f"{percent(mean, 1)} ({low} to {high})" if low != high else percent(mean, 1)
