"""Section 6, first mistake: sigmoid or tanh in the hidden layers of a deep network, and what else matters."""

import functools

import pandas as pd

from gradflow.figures.table import Table
from gradflow.lesson import marks
from gradflow.lesson.experiments.deep import ACTIVATIONS, BLOCKS
from gradflow.lesson.experiments.fit import CLASSES
from gradflow.lesson.experiments.telephone import BATCHNORM, BOTH, PLAIN, RESIDUAL, RIGHT, SETTINGS
from gradflow.lesson.numbers import percent
from gradflow.lesson.section import Control, Figure, Panel, Remark, Rule

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
        name="mistake_hidden",
        title="Mistake 1: sigmoid or tanh in the hidden layers of a deep network",
        reading=f"{BLOCKS} hidden layers. With the default initialisation, sigmoid ends at "
        f"{percent(last[PLAIN]['sigmoid'], 1)} and tanh at {percent(last[PLAIN]['tanh'], 1)}, but ReLU ends at "
        f"{percent(last[PLAIN]['relu'], 1)} too: the activation is not everything. Choose how the network is built. "
        f"The initialisation that fits the activation takes tanh to {percent(last[RIGHT]['tanh'], 1)}, ReLU to "
        f"{percent(last[RIGHT]['relu'], 1)} and sigmoid to {percent(last[RIGHT]['sigmoid'], 1)}; sigmoid needs "
        f"BatchNorm ({percent(last[BATCHNORM]['sigmoid'], 1)}) or residual connections "
        f"({percent(last[RESIDUAL]['sigmoid'], 1)}). Guessing scores {percent(1 / CLASSES)}. Means of "
        f"{trained['seed'].nunique()} seeds.",
        controls=[Control("setting", "network", settings, PLAIN, is_slider=False)],
        legend=marks.line_legend(_NAMES),
        panels=[Panel("Test accuracy", lines(where="datum.setting === setting"), height=240)],
        picture=[Panel(name, lines(where=marks.same({"setting": name})), height=200) for name in settings],
        columns=3,
        remarks=[Remark({"setting": name}, {one: percent(last[name][one], 1) for one in _NAMES}) for name in settings],
    )


def table(trained: pd.DataFrame) -> Table:
    """Where each network ends: mean and range of the seeds."""
    finals = _finals(trained)
    rows = [
        [setting.name, *(_mean_and_range(finals.loc[setting.name, name]) for name in _NAMES)] for setting in SETTINGS
    ]
    return Table(
        f"Test accuracy with {BLOCKS} hidden layers after the last epoch: mean of the seeds (lowest to highest).",
        ["network", *_NAMES],
        rows,
    )


def rules(trained: pd.DataFrame) -> list[Rule]:
    """The rules of thumb that follow."""
    last = _final(trained)
    ranges = _finals(trained).groupby(level=["setting", "activation"]).agg(lambda values: values.max() - values.min())
    widest, (setting, activation) = float(ranges.max()), ranges.idxmax()

    def ends(name: str, setting: str) -> str:
        return percent(last[setting, name], 1)

    def all_end(setting: str) -> str:
        return ", ".join(f"{ends(name, setting)} ({name})" for name in _NAMES if name != "sigmoid")

    return [
        Rule(
            "In hidden layers, start with ReLU or one of its relatives, and with the initialisation that fits it.",
            f"With it, {BLOCKS} layers end at {all_end(RIGHT)}; with the default, at {all_end(PLAIN)}.",
        ),
        Rule(
            "Use sigmoid in the hidden layers of a deep network only with normalisation or residual connections.",
            f"{BLOCKS} sigmoid layers end at {ends('sigmoid', PLAIN)} with the default initialisation, at "
            f"{ends('sigmoid', RIGHT)} with the one that fits, at {ends('sigmoid', BATCHNORM)} with BatchNorm, and at "
            f"{ends('sigmoid', RESIDUAL)} with residual connections.",
        ),
        Rule(
            "With residual connections, keep the weights small: the skips already carry the signal.",
            f"With the default weights, {BLOCKS} layers with skips end at {all_end(RESIDUAL)}; with the weights that "
            f"would be right without skips, at {all_end(BOTH)}.",
        ),
        Rule(
            "Change one thing at a time, and compare over several seeds.",
            f"{trained['seed'].nunique()} seeds of the same network ({activation}, {setting}) differ by up to "
            f"{100 * widest:.1f} points.",
        ),
    ]


def _finals(trained: pd.DataFrame) -> pd.Series:
    """Accuracy after the last epoch by setting, activation and seed."""
    at_last = trained[trained["epoch"] == trained["epoch"].max()]
    return at_last.set_index(["setting", "activation", "seed"])["accuracy"].sort_index()


def _final(trained: pd.DataFrame) -> pd.Series:
    """Its mean over the seeds, by setting and activation."""
    return _finals(trained).groupby(level=["setting", "activation"]).mean()


def _mean_and_range(accuracies: pd.Series) -> str:
    mean = percent(accuracies.mean(), 1)
    low, high = (f"{100 * value:.1f}" for value in (accuracies.min(), accuracies.max()))
    return f"{mean} ({low} to {high})" if low != high else mean
