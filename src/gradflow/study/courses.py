"""How a score goes with depth, in words: it stays, falls, rises, turns or swings, by one stated rule."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

from gradflow.runs.metrics import Metric
from gradflow.runs.words import blocks_words
from gradflow.study.statistics import summary

SMALL = 0.02  # the change that nobody need care about of a score that is 1 at best: 2 points
SMALL_SHARE = 0.05  # of the largest mean, for what has no such end
SMALL_DECADES = 0.1  # for what is averaged as log10
_ROUNDING = 1e-6  # of float32 scores
_MOST_DECIMALS = 4


@dataclass(frozen=True)
class Point:
    """The runs of one activation at one depth.

    Attributes:
        blocks: None in a network of fixed size.
        n: how many of them have the value.
        mean: over them; the geometric one for what is averaged as log10.
        sd: their standard deviation, in decades for what is averaged as log10; 0 for a single run.
    """

    blocks: int | None
    n: int
    mean: float
    sd: float


def point(blocks: int | None, values: Sequence[float], metric: Metric) -> Point | None:
    """The average of these values; None if there is none to average."""
    kept = [value for value in values if math.isfinite(value) and (value > 0 or not metric.is_logarithmic)]
    if not kept:
        return None
    one = summary(kept, log10=metric.is_logarithmic)
    return Point(blocks, one.n, one.mean, 0.0 if math.isnan(one.sd) else one.sd)


def course(points: Sequence[Point], metric: Metric, *, depths: Collection[int] = ()) -> str:
    """`falls from 96 to 63 %`, as the predicate of a sentence.

    Two means differ if they are further apart than is small (2 points of a fraction or of R², a tenth of a decade of
    what is averaged as log10, else 5 % of the largest mean) and than two runs differ by chance, the root of the sum of
    both squared standard deviations over the seeds. One run has no such spread: then only *small* counts. In order:

    - With means all within what is small it *stays*.
    - A depth between the ends whose mean differs from the higher end's, upwards, is a peak; from the lower end's,
      downwards, a trough. With a peak it *rises* and then *falls*, with a trough the reverse, with both it *swings*.
    - If shallowest and deepest differ it *falls* or *rises*; with *ups and downs* if two neighbours differ the other
      way.
    - Otherwise it *varies*: by no more than from seed to seed if there are several, else without a trend.

    Args:
        points: by depth, at least one.
        metric: what they measure.
        depths: of the study. A single point names its own if there are others; none is called every depth that is not.
    """
    if len(points) == 1:
        at = "" if points[0].blocks is None or lacks_none(points, depths) else f" at {blocks_words(points[0].blocks)}"
        return f"reaches {shown(points[0].mean, metric)}{at}"
    if alike(points, metric):
        return f"stays at {span(points, metric)}{' at every depth' if lacks_none(points, depths) else ''}"
    first, *between, last = points
    high, low = (first, last) if first.mean >= last.mean else (last, first)
    peak = max((p for p in between if _differ(p, high, points, metric) > 0), key=lambda p: p.mean, default=None)
    trough = min((p for p in between if _differ(p, low, points, metric) < 0), key=lambda p: p.mean, default=None)
    if peak and trough:
        return f"swings between {span(points, metric, link='and')} with depth"
    if turn := peak or trough:
        there, back = ("rises", "falls") if peak else ("falls", "rises")
        at = f"at {blocks_words(turn.blocks or 0)}"
        return f"{there} from {_pair(first, turn, metric)} {at}, then {back} to {shown(last.mean, metric)}"
    if direction := _differ(last, first, points, metric):
        steps = [_differ(after, before, points, metric) for before, after in pairwise(points)]
        uneven = ", with ups and downs" if -direction in steps else ""
        return f"{'rises' if direction > 0 else 'falls'} from {_pair(first, last, metric)}{uneven}"
    why = "no more than from seed to seed" if max(p.n for p in points) > 1 else "without a trend"
    return f"varies from {span(points, metric)} with depth, {why}"


def lacks_none(points: Sequence[Point], depths: Collection[int]) -> bool:
    """Whether there is a point at each of these depths."""
    return set(depths) <= {one.blocks for one in points}


def alike(points: Sequence[Point], metric: Metric) -> bool:
    """Whether the means are all within what is small."""
    return _spread(points, metric) <= _small(points, metric)


def span(points: Sequence[Point], metric: Metric, *, link: str = "to") -> str:
    """`96 to 98 %`, the lowest and the highest mean; `98 %` where they look alike."""
    means = sorted(one.mean for one in points)
    low, high = digits(means[0], metric), shown(means[-1], metric)
    return high if low == digits(means[-1], metric) else f"{low} {link} {high}"


def shown(value: float, metric: Metric) -> str:
    """`96 %`, `0.312`; what is not all is not shown as all: `99.7 %`."""
    return f"{digits(value, metric)}{' %' if metric.is_fraction else ''}"


def digits(value: float, metric: Metric) -> str:
    """The same without the unit."""
    if not metric.is_fraction:
        return f"{value:.3g}"
    is_all_or_none = abs(value - round(value)) < _ROUNDING
    for decimals in range(_MOST_DECIMALS + 1):
        text = f"{100 * value:.{decimals}f}"
        if is_all_or_none or float(text) not in (0.0, 100.0):
            break
    return text


def _pair(first: Point, last: Point, metric: Metric) -> str:
    return f"{digits(first.mean, metric)} to {shown(last.mean, metric)}"


def _differ(one: Point, other: Point, points: Sequence[Point], metric: Metric) -> int:
    """1 if the first mean is higher, -1 if it is lower, 0 if they do not differ by the rule of `course`."""
    change = _scaled(one.mean, metric) - _scaled(other.mean, metric)
    if abs(change) <= max(_small(points, metric), math.hypot(one.sd, other.sd)):
        return 0
    return 1 if change > 0 else -1


def _spread(points: Sequence[Point], metric: Metric) -> float:
    means = [_scaled(one.mean, metric) for one in points]
    return max(means) - min(means)


def _small(points: Sequence[Point], metric: Metric) -> float:
    if metric.is_logarithmic:
        return SMALL_DECADES
    return SMALL if metric.high == 1.0 else SMALL_SHARE * max(abs(one.mean) for one in points)


def _scaled(mean: float, metric: Metric) -> float:
    return math.log10(mean) if metric.is_logarithmic else mean
