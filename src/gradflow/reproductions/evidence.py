"""Why a claim does not hold, as far as the tables show it: every number in these sentences is computed from them."""

import math
from collections.abc import Iterable, Sequence

import pandas as pd

from gradflow.reproductions.measured import cell, mean_curve
from gradflow.reproductions.published import Claim
from gradflow.reproductions.stored import Tables
from gradflow.runs import tags
from gradflow.runs.metrics import MetricTable
from gradflow.study.statistics import summary

LAYERS = 6
FITTED, CURVE, SCORE = (part(tags.ACC) for part in (tags.train, tags.val, tags.test))
RECOMPUTED = tags.recomputed_bn(SCORE)


def evidence(claim: Claim, tables: Tables, values: Sequence[float]) -> str:
    """One or two sentences; empty where the tables say nothing beyond the measured value."""
    if claim.rule == "factor":
        return _slope_of_a_layer(claim, values)
    if claim.why == "tensors":
        return _zero_gradients(claim, values)
    if claim.from_blocks is not None:
        return _change_of_others(claim, tables)
    if claim.curve is None:
        return ""
    curve = mean_curve(tables, claim.activation, claim.blocks, claim.curve)
    if not len(curve):
        return ""
    return _passage(curve, claim, summary(values).mean) + _swings(claim, tables) + _recomputed(claim, tables)


def _passage(curve: pd.Series, claim: Claim, measured: float) -> str:
    """In which epoch the mean curve passes what was published, and how it ends."""
    low, high = claim.published if claim.rule == "within" else (claim.published, claim.published)
    bound = low if measured < low else high
    name, digits = MetricTable().final(claim.curve or "").words, max(3, claim.decimals)
    last, end = int(curve.index[-1]), f"{curve.iloc[-1]:.{digits}f}"
    if claim.curve != claim.metric and low <= round(curve.iloc[-1], claim.decimals) <= high and low < high:
        points = 100 * (curve.iloc[-1] - measured)
        side = "above" if points > 0 else "below"
        apart = f"{abs(points):.1f} points {side} the {MetricTable().final(claim.metric).words}"
        return f"the mean {name} ends at {end}, inside the published range and {apart}."
    passed = curve.index[curve >= bound]
    if not len(passed):
        back = max(1, last // 3)
        gain = curve.iloc[-1] - curve.iloc[-1 - back]
        plural = "s" if back > 1 else ""
        return (
            f"the mean {name} does not reach {bound:g} in {last} epochs; it ends at {end}, having changed by "
            f"{gain:+.4f} over the last {back} epoch{plural}."
        )
    first = int(passed[0])
    at = f"{curve[first]:.{digits}f}"
    return f"the mean {name} passes {bound:g} in epoch {first} of {last}, at {at}, and ends at {end}."


def _swings(claim: Claim, tables: Tables) -> str:
    """How far a run's validation accuracy falls between two epochs: to that extent, its highest value is luck."""
    if claim.rule != "near" or claim.curve != CURVE:
        return ""
    by_run = cell(tables.epochs, claim.activation, claim.blocks).pivot_table(
        index="epoch", columns="seed", values=[claim.curve, FITTED]
    )
    fall = -float(by_run[claim.curve].diff().min().min())
    if FITTED not in by_run or fall <= claim.tolerance:
        return ""
    end = float(by_run[FITTED].iloc[-1].mean())
    falls = f"it falls by up to {100 * fall:.1f} points from one epoch to the next"
    return f" In single runs {falls}; the training accuracy ends at {end:.4f}."


def _recomputed(claim: Claim, tables: Tables) -> str:
    """The accuracy of the last epoch's network with recomputed statistics, in the runs that measured it."""
    if claim.rule != "near" or claim.curve != CURVE:
        return ""
    runs = cell(tables.finished, claim.activation, claim.blocks)
    runs = runs.dropna(subset=[RECOMPUTED]) if RECOMPUTED in runs else runs[:0]
    if runs.empty:
        return ""
    running, recomputed = (f"{runs[tag].mean():.4f}" for tag in (SCORE, RECOMPUTED))
    return (
        f" The network of the last epoch ({_seeds(runs['seed'])}) has a test accuracy of {running} by the running "
        f"averages of batch normalisation and of {recomputed} with statistics recomputed for its final weights."
    )


def _change_of_others(claim: Claim, tables: Tables) -> str:
    """The same change in accuracies that do not depend on running averages, for the seeds that have both depths."""
    assert claim.from_blocks is not None
    shallow, deep = (
        cell(tables.finished, claim.activation, blocks).set_index("seed")
        for blocks in (claim.from_blocks, claim.blocks)
    )
    others = {FITTED: "training accuracy", RECOMPUTED: "test accuracy with recomputed statistics"}
    changes = []
    for tag in [tag for tag in others if tag in tables.finished]:
        pairs = pd.concat([shallow[tag], deep[tag]], axis=1).dropna()
        if len(pairs):
            low, high = pairs.mean().tolist()
            change = f"changes by {high - low:+.4f}, from {low:.4f} to {high:.4f}"
            changes.append(f"the {others[tag]} ({_seeds(pairs.index)}) {change}")
    return f"{'; '.join(changes)}." if changes else ""


def _seeds(seeds: Iterable[int]) -> str:
    numbers = list(map(str, seeds))
    return f"seed{'s' if len(numbers) > 1 else ''} {', '.join(numbers)}"


def _zero_gradients(claim: Claim, values: Sequence[float]) -> str:
    """What the biases that normalisation cancels do to a mean over tensors."""
    assert claim.blocks is not None
    cancelled, tensors = cancelled_biases(claim.blocks)
    mean = summary(values, log10=True).mean
    without = mean * tensors / (tensors - cancelled)
    times = [f"{value / claim.published:.2f} times the published value" for value in (mean, without)]
    return (
        f"{times[0]}. {cancelled} of the {tensors} trainable tensors are biases in front of a batch normalisation, "
        "which cancels them, so their gradient is zero except for rounding; without them the mean would be "
        f"{without:.4f}, {times[1]}."
    )


def cancelled_biases(blocks: int) -> tuple[int, int]:
    """How many trainable tensors of the Conv-BN-Act stack are biases in front of a batch normalisation, and how many
    there are in all: stem and blocks have weight and bias of a convolution and of a normalisation, the head has weight
    and bias.
    """
    return blocks + 1, 4 * (blocks + 1) + 2


def _slope_of_a_layer(claim: Claim, values: Sequence[float]) -> str:
    """What the two values mean for one layer."""
    published, measured = (value ** (1 / LAYERS) for value in (claim.published, summary(values, log10=True).mean))
    text = f"that is a factor of {measured:.2f} per layer, where the published value implies {published:.2f}"
    if claim.activation != "tanh":
        return f"{text}."
    z = math.atanh(math.sqrt(1 - published))
    return f"{text}: the slope of tanh at ±{z:.2f} in every unit of every layer, and weights that lose nothing."
