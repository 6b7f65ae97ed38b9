"""The rules, in one table, the most severe first: what must hold, where the threshold comes from, what helps."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from gradflow import invocation
from gradflow.advise import gradients, judgements
from gradflow.advise.measured_run import MeasuredRun, Sighting, per_cent
from gradflow.runs import health, tags
from gradflow.study.comparison.evidence import ALPHA

_OWN = "convention of gradflow"
_LAG = f"{100 * health.LAG:g}"
_VERDICTS = f"docs/statistics.md; {invocation.tool('study', 'STUDY', 'compare')}"
_WARNINGS = "conf/callbacks/health_warnings.yaml"


class Severity(StrEnum):
    """What a finding means for anyone who wants to use the network."""

    BROKEN = "broken"  # it does not learn, or its first layers do not
    WEAK = "weak"  # it learns, but something better is known
    HINT = "hint"  # not enough is known yet


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes:
        name: what is wrong.
        condition: when it holds, in words, with its threshold.
        source: of the threshold.
        remedies: what helps, as overrides of train.py where possible.
        judge: whether it holds in a run; None where only a comparison of runs can tell.
    """

    name: str
    severity: Severity
    condition: str
    source: str
    remedies: tuple[str, ...]
    judge: Callable[[MeasuredRun], Sighting | None] | None = None


DIVERGED = Rule(
    "diverged",
    Severity.BROKEN,
    "a loss or a gradient was not finite, which ended the run",
    "run.json",
    ("a lower optimizer.lr", "trainer.gradient_clip_val=1", "init=he", "model.norm=batch"),
    judgements.diverged,
)
HARDLY_LEARNED = Rule(
    "hardly learned",
    Severity.BROKEN,
    f"after {judgements.FIRST_UPDATES} updates or more, the mean training loss of the last epoch is at least "
    f"{per_cent(judgements.UNLEARNED)} of the loss of the best constant prediction (with equal classes: ln of their "
    "number)",
    _OWN,
    (*health.VANISHING_REMEDIES, "another optimizer.lr", "optimizer=adam"),
    judgements.hardly_learned,
)
EXPLODING = Rule(
    "exploding gradient",
    Severity.BROKEN,
    f"{tags.GRAD_NORM_TOTAL}, averaged over an epoch, is above {health.EXPLODING_NORM:g}",
    _WARNINGS,
    health.EXPLODING_REMEDIES,
    gradients.exploding,
)
VANISHING = Rule(
    "vanishing gradient",
    Severity.BROKEN,
    f"{tags.GRAD_RMS} of a hidden layer, averaged over an epoch, is under {health.VANISHING_RATIO:g} of the largest "
    "layer's",
    f"{_WARNINGS}; the effect: Hochreiter 1991, Glorot & Bengio 2010",
    health.VANISHING_REMEDIES,
    gradients.vanishing,
)
DEAD_UNITS = Rule(
    "dead units",
    Severity.WEAK,
    f"more than {per_cent(health.DEAD_FRACTION)} of a layer's units have slope zero for every validation sample "
    "after an epoch",
    f"{_WARNINGS}; the definition: Lu et al. 2019, arXiv:1903.06733",
    health.DEAD_REMEDIES,
    judgements.dead_units,
)
SATURATED = Rule(
    "saturated",
    Severity.WEAK,
    f"more than {per_cent(judgements.LOW_SLOPE_FRACTION)} of a layer's entries have a slope under 5 % of the "
    "function's largest after an epoch; only for functions like sigmoid and tanh (in a ReLU, low slopes are the usual "
    "sparsity)",
    f"{_OWN}; the effect: LeCun et al. 1998, Efficient BackProp",
    ("activation=relu", "model.norm=batch", "init=xavier", "a lower optimizer.lr"),
    judgements.saturated,
)
SLOW_START = Rule(
    "slow start",
    Severity.WEAK,
    f"the mean training loss of the first epoch that ends after {judgements.FIRST_UPDATES} updates or more is at least "
    f"{per_cent(judgements.UNLEARNED)} of the loss of the best constant prediction, and falls later",
    _OWN,
    ("activation=relu", "init=he", "model.norm=batch", "optimizer=adam", "a higher optimizer.lr"),
    judgements.slow_start,
)
FADING = Rule(
    "fading gradient",
    Severity.WEAK,
    "the gradient halves, or worse, from layer to layer towards the input: "
    f"{tags.GAIN_PER_LAYER}, averaged over training, is under {gradients.FADING:g} in a "
    f"network of {gradients.FEWEST_LAYERS} hidden layers or more, but nothing has vanished yet",
    _OWN,
    health.VANISHING_REMEDIES[:-1],
    gradients.fading,
)
LAGGING = Rule(
    "lagging running averages",
    Severity.WEAK,
    "batch normalisation's running averages put the last epoch's test accuracy more than "
    f"{_LAG} points below that by recomputed statistics, or (batch_norm=running) the validation accuracy falls by more "
    f"than {_LAG} points in an epoch in which the training accuracy does not fall",
    f"{_OWN}; running averages: Ioffe & Szegedy 2015, arXiv:1502.03167; recomputed statistics: Wu & Johnson 2021, "
    "arXiv:2105.07576",
    ("batch_norm=recomputed", "schedule=cosine", "a lower optimizer.lr"),
    judgements.lagging_averages,
)
WORSE = Rule(
    "worse activation",
    Severity.WEAK,
    "paired by seed and with all else equal, an activation's headline metric is shown to be worse than the baseline's "
    f"(or the baseline's than the activation's): Holm-corrected p of the exact sign flip of {ALPHA:g} or less",
    _VERDICTS,
    ("the better activation of the pair",),
)
PERHAPS_WORSE = Rule(
    "perhaps a worse activation",
    Severity.HINT,
    "paired by seed and with all else equal, an activation's headline metric is suggested to be worse: there are fewer "
    "seeds than the exact sign flip needs, and the Holm-corrected p of the paired t test, which assumes roughly normal "
    f"differences, is {ALPHA:g} or less",
    _VERDICTS,
    ("more seeds",),
)
RULES = (
    DIVERGED,
    HARDLY_LEARNED,
    EXPLODING,
    VANISHING,
    DEAD_UNITS,
    SATURATED,
    SLOW_START,
    FADING,
    LAGGING,
    WORSE,
    PERHAPS_WORSE,
)
