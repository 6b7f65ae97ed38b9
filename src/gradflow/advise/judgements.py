"""Whether the rules about learning and units hold in a run: one function per rule, which returns a sighting or None.

Each raises NotJudged if the run lacks the measurement it needs.
"""

from collections.abc import Sequence

import numpy as np

from gradflow.advise.measured_run import MeasuredRun, NotJudged, Sighting, per_cent
from gradflow.runs import health, tags
from gradflow.runs.record import State

TRAIN_LOSS = tags.train(tags.LOSS)
TRAIN_ACC, VAL_ACC, TEST_ACC = (part(tags.ACC) for part in (tags.train, tags.val, tags.test))
LOW_SLOPE_FRACTION = 0.5  # of a layer's entries
UNLEARNED = 0.9  # of the loss of the best constant prediction
FIRST_UPDATES = 100  # after this many, something should have been learned


def diverged(run: MeasuredRun) -> Sighting | None:
    """The run ended because a loss or gradient was not finite."""
    if run.record["state"] != State.DIVERGED:
        return None
    error = run.record["error"]
    message = (error and error["message"]) or "no longer finite"
    return Sighting(0.0, "", f"{message.splitlines()[0]}{run.lr}")


def hardly_learned(run: MeasuredRun) -> Sighting | None:
    """The training loss of the last epoch is still that of a constant prediction."""
    if run.record["state"] == State.DIVERGED:
        return None
    loss_E, reference, what = _learning(run)
    share = float(loss_E[-1] / reference)
    if share < UNLEARNED:
        return None
    mean = f"the mean training loss of epoch {len(loss_E)}, the last, is {loss_E[-1]:.4g}"
    return Sighting(share, per_cent(share), f"{mean}, {per_cent(share)} of {reference:.4g}, {what}{run.lr}")


def slow_start(run: MeasuredRun) -> Sighting | None:
    """The training loss stayed at that of a constant prediction for a long time, then fell."""
    if run.record["state"] == State.DIVERGED or hardly_learned(run) is not None:
        return None
    loss_E, reference, what = _learning(run)
    first = int(np.searchsorted(run.ends, FIRST_UPDATES))
    share = float(loss_E[first] / reference)
    if share < UNLEARNED:
        return None
    left = first + int(np.argmax(loss_E[first:] < UNLEARNED * reference))
    evidence = (
        f"the mean training loss of epoch {first + 1} (up to update {run.ends[first]:,}) is {loss_E[first]:.4g}, "
        f"{per_cent(share)} of {reference:.4g}, {what}; under {per_cent(UNLEARNED)} from epoch {left + 1} of "
        f"{len(loss_E)}{run.lr}"
    )
    return Sighting(left + share, per_cent(share), evidence)


def _learning(run: MeasuredRun) -> tuple[np.ndarray, float, str]:
    """Training loss by epoch, shape (E,), the loss of a prediction that ignores the input, and its name in words."""
    if not len(run.ends):
        raise NotJudged(f"{TRAIN_LOSS} was not recorded")
    if run.ends[-1] < FIRST_UPDATES:
        raise NotJudged(f"fewer than {FIRST_UPDATES} updates")
    loss_E = run.curves[TRAIN_LOSS].values
    constant = run.record["constant_loss"]
    if constant:
        return loss_E, float(constant), "the loss of the best constant prediction"
    if tags.TRAIN_LOSS_STEP not in run.curves:
        raise NotJudged(f"{tags.TRAIN_LOSS_STEP} was not recorded")
    return loss_E, float(run.curves[tags.TRAIN_LOSS_STEP].values[0]), "the loss of the first batch"


def dead_units(run: MeasuredRun) -> Sighting | None:
    """More than the warning's share of a layer's units is dead at the end of an epoch."""
    share, layer, epoch, before = _worst_layer(run, tags.DEAD_UNITS)
    if share <= np.float32(health.DEAD_FRACTION):  # a curve's values are float32: one fifth is a little above 0.2
        return None
    evidence = f"{per_cent(share)} of the units of {layer} are dead after epoch {epoch}{before}{run.lr}"
    return Sighting(share, per_cent(share), evidence)


def saturated(run: MeasuredRun) -> Sighting | None:
    """Most entries of a layer are in a flat part of a sigmoid-like function at the end of an epoch."""
    if not run.is_sigmoid_like:
        return None
    share, layer, epoch, before = _worst_layer(run, tags.LOW_SLOPE)
    if share <= LOW_SLOPE_FRACTION:
        return None
    evidence = f"{per_cent(share)} of the entries of {layer} are in a flat part after epoch {epoch}{before}{run.lr}"
    return Sighting(share, per_cent(share), evidence)


def lagging_averages(run: MeasuredRun) -> Sighting | None:
    """By its running averages, a batch-normalised network scores far below what it has learned.

    Training normalises by the statistics of each batch; running averages of them lag behind weights that are still
    moving. A run whose configuration is unknown has no sighting.
    """
    if tags.val(tags.R2) in run.curves or run.config.get("model", {}).get("norm") != "batch":
        return None
    recomputed = run.config.get("batch_norm") == "recomputed"  # then the validation curve owes nothing to the averages
    if health.lag(run.record["metrics"]) is None and (recomputed or not {VAL_ACC, TRAIN_ACC} <= run.curves.keys()):
        others = "" if recomputed else f", nor {VAL_ACC} and {TRAIN_ACC}"
        raise NotJudged(f"neither {tags.running_bn(TEST_ACC)} nor {tags.recomputed_bn(TEST_ACC)}{others} were recorded")
    seen = [one for one in (_gap(run), None if recomputed else _fall(run)) if one is not None]
    if not seen:
        return None
    worst = max(seen, key=lambda one: one.badness)
    return Sighting(worst.badness, worst.number, "; ".join(one.evidence for one in seen) + run.lr)


def _gap(run: MeasuredRun) -> Sighting | None:
    """The last epoch's test accuracy is higher with recomputed statistics."""
    final = run.record["metrics"]
    gap = health.lag(final)
    if gap is None or gap <= health.LAG:
        return None
    running = final.get(tags.running_bn(TEST_ACC), final[TEST_ACC])
    assert running is not None
    evidence = (
        f"the network of the last epoch has a test accuracy of {per_cent(running)} by its running averages "
        f"and {per_cent(running + gap)} with statistics recomputed for its final weights"
    )
    return _points(gap, evidence)


def _fall(run: MeasuredRun) -> Sighting | None:
    """The validation accuracy falls in an epoch in which that of training does not."""
    scores_E, fitted_E = (run.curves[tag].values if tag in run.curves else np.zeros(0) for tag in (VAL_ACC, TRAIN_ACC))
    epochs = min(len(scores_E), len(fitted_E))
    falls_E = np.where(np.diff(fitted_E[:epochs]) >= 0, -np.diff(scores_E[:epochs]), 0.0)
    if not len(falls_E) or falls_E.max() <= health.LAG:
        return None
    worst = int(np.argmax(falls_E))
    before, after, last = (per_cent(scores_E[epoch]) for epoch in (worst, worst + 1, -1))
    evidence = (
        f"the validation accuracy falls from {before} to {after} in epoch {worst + 2}, while that of training, by each "
        f"batch's own statistics, reaches {per_cent(fitted_E[worst + 1])}; validation ends at {last}"
    )
    return _points(float(falls_E[worst]), evidence)


def _points(difference: float, evidence: str) -> Sighting:
    return Sighting(difference, f"{100 * difference:.3g} points", evidence)


def _worst_layer(run: MeasuredRun, quantity: str) -> tuple[float, str, int, str]:
    """Largest share of a unit statistic after an epoch, its layer, that epoch, and the share before the first update.

    In a tie, the first layer and the earliest epoch count.
    """
    worst: tuple[float, str, int, str] | None = None
    for layer in run.layers(quantity):
        curve = run.curves[tags.of_layer(quantity, layer)]
        later = curve.steps > 0
        if not later.any():
            continue
        place = int(np.argmax(curve.values[later]))
        share = float(curve.values[later][place])
        if worst is None or share > worst[0]:
            before = _text_before(curve.values[~later])
            worst = share, layer, run.epoch(int(curve.steps[later][place])), before
    if worst is None:
        raise NotJudged(f"{quantity} was not recorded after an epoch")
    return worst


def _text_before(values: Sequence[float] | np.ndarray) -> str:
    return f" ({per_cent(float(values[0]))} before the first update)" if len(values) else ""
