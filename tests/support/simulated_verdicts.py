"""How often verdicts are wrong: made-up studies by the thousand, judged by the functions that judge real ones.

Shape letters: R repetitions (studies), M comparisons of a study, N seeds.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy import stats

from gradflow.runs.metrics import NO_NUMBER
from gradflow.study.comparison.evidence import (
    ALPHA,
    claims,
    is_skewed,
    paired_t_p,
    probability_of_improvement,
    seeds_needed,
    sign_flip_p,
)
from gradflow.study.statistics import band

SEED = 1935
REPETITIONS = 20_000
LOOKING_REPETITIONS = 10_000
SEEDS = (3, 5, 8, 10)
FAMILIES = (1, 3, 5)
EFFECTS = (1.0, 2.0, 4.0)  # in standard deviations of the differences
LAST_LOOKS = (6, 8, 12, 16)
CHUNK = 500  # repetitions in memory at a time
IMAGES, ACCURACY = 300, 0.97  # of the test set of the digits, and of both networks
NOISE, LOSS, COLLAPSES = 0.01, 0.8, 0.2  # of scores; of a run that collapses; their share
ROUNDING = 2.0**-23  # of a difference of two float32 accuracies

Draw = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


@dataclass(frozen=True)
class Differences:
    """Differences between two activations whose true mean is zero.

    Attributes:
        draw: generator and shape -> differences.
        sd: their standard deviation.
        median: the true one.
        improvement: the true probability that a difference is positive, ties half.
        symmetric: whether they are symmetric about zero, which is what the sign flip tests.
    """

    name: str
    draw: Draw
    sd: float = 1.0
    median: float = 0.0
    improvement: float = 0.5
    symmetric: bool = True


# The runs that collapse cost on average what the others gain.
def _collapse(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.normal(LOSS * COLLAPSES, NOISE, shape) - LOSS * (rng.random(shape) < COLLAPSES)


def _collapses(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    either, other = rng.random((2, *shape)) < COLLAPSES
    return rng.normal(0.0, NOISE, shape) + LOSS * (other.astype(float) - either)


def _ties(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    right = rng.binomial(IMAGES, ACCURACY, (2, *shape))
    first, second = (right.astype(np.float32) / np.float32(IMAGES)).astype(np.float64)
    return first - second


NULLS = (
    Differences("normal", lambda rng, shape: rng.normal(size=shape)),
    Differences("accuracies of 300 images (ties)", _ties, sd=math.sqrt(2 * ACCURACY * (1 - ACCURACY) / IMAGES)),
    Differences(
        "either activation: one run in five collapses",
        _collapses,
        sd=math.sqrt(NOISE**2 + 2 * COLLAPSES * (1 - COLLAPSES) * LOSS**2),
    ),
    Differences(
        "exponential, minus its mean (skewed)",
        lambda rng, shape: rng.exponential(size=shape) - 1.0,
        median=math.log(2) - 1,
        improvement=math.exp(-1),
        symmetric=False,
    ),
    Differences(
        "one activation: one run in five collapses",
        _collapse,
        sd=math.sqrt(NOISE**2 + COLLAPSES * (1 - COLLAPSES) * LOSS**2),
        # Runs that collapse lie far below the others: 3/8 of those that do not lie below the median of all.
        median=LOSS * COLLAPSES + NOISE * float(stats.norm.ppf((0.5 - COLLAPSES) / (1 - COLLAPSES))),
        improvement=1 - COLLAPSES,
        symmetric=False,
    ),
)


def generator(*place: int) -> np.random.Generator:
    """The random stream of one entry of a table, whatever else is simulated."""
    return np.random.default_rng([SEED, *place])


def judged(differences_RMN: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which comparisons are shown, and which are suggested, each of shape (R, M)."""
    chunks = [
        claims(
            sign_flip_p(chunk, rounding=ROUNDING),
            paired_t_p(chunk, rounding=ROUNDING),
            seeds_M=chunk.shape[-1],
        )
        for chunk in _chunks(differences_RMN)
    ]
    shown, suggested = zip(*chunks, strict=True)
    return np.concatenate(shown), np.concatenate(suggested)


def _chunks(values_RX: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(values_RX), CHUNK):
        yield values_RX[start : start + CHUNK]


def false_claims(null: Differences, *, n: int, m: int, repetitions: int = REPETITIONS) -> tuple[float, float]:
    """The share of studies in which at least one of m comparisons is shown, and in which one is suggested."""
    rng = generator(1, NULLS.index(null), n, m)
    shown_RM, suggested_RM = judged(null.draw(rng, (repetitions, m, n)))
    return float(shown_RM.any(axis=-1).mean()), float(suggested_RM.any(axis=-1).mean())


def coverage(null: Differences, *, n: int, repetitions: int = REPETITIONS) -> float:
    """The share of studies in which the t interval holds the true mean, zero."""
    means = band(null.draw(generator(2, NULLS.index(null), n), (repetitions, n)).T)
    tolerance = 1e-12  # where all differences are equal, the interval has no width
    return float(np.mean((means.low <= tolerance) & (means.high >= -tolerance)))


@dataclass(frozen=True)
class Estimates:
    """What is reported beside the mean: the average over many studies and the standard deviation among them."""

    skewed: float
    median: tuple[float, float]
    improvement: tuple[float, float]


def estimates(null: Differences, *, n: int, repetitions: int = REPETITIONS) -> Estimates:
    values_RN = null.draw(generator(3, NULLS.index(null), n), (repetitions, n))
    medians, shares = np.median(values_RN, axis=-1), probability_of_improvement(values_RN, rounding=ROUNDING)
    return Estimates(
        skewed=float(is_skewed(values_RN, rounding=ROUNDING).mean()),
        median=(float(medians.mean()), float(medians.std())),
        improvement=(float(shares.mean()), float(shares.std())),
    )


def power(effect: float, *, n: int, m: int, repetitions: int = REPETITIONS) -> tuple[float, float]:
    """The share of m real effects that are shown, and that are suggested; normal differences, standard deviation 1."""
    rng = generator(4, EFFECTS.index(effect), n, m)
    shown_RM, suggested_RM = judged(rng.normal(effect, 1.0, (repetitions, m, n)))
    return float(shown_RM.mean()), float(suggested_RM.mean())


def looking(last: int, *, repetitions: int = LOOKING_REPETITIONS) -> tuple[float, float]:
    """The share of studies of one comparison without an effect in which a difference is shown at some look.

    Normal differences; looks after every seed from the sixth on, or from the third on, where what is suggested counts.
    """
    values_RN = generator(5).normal(size=(repetitions, max(LAST_LOOKS)))
    shown, claimed = np.zeros((2, repetitions), dtype=bool)
    for n in range(3, last + 1):
        now_shown, suggested = judged(values_RN[:, None, :n])
        shown |= now_shown[:, 0]
        claimed |= now_shown[:, 0] | suggested[:, 0]
    return float(shown.mean()), float(claimed.mean())


FALSE_HEADER = (
    "differences, mean 0",
    "seeds",
    *(f"shown, m = {m}" for m in FAMILIES),
    *(f"suggested, m = {m}" for m in FAMILIES),
    "interval holds the mean",
)
ESTIMATES_HEADER = (
    "differences, mean 0",
    "seeds",
    "called skewed",
    "median: true",
    "estimated ± sd",
    "probability of improvement: true",
    "estimated ± sd",
)
POWER_HEADER = (
    "effect in standard deviations",
    "seeds",
    *(f"shown, m = {m}" for m in FAMILIES),
    *(f"suggested, m = {m}" for m in FAMILIES),
)
LOOKING_HEADER = ("last look after seed", "looks from seed 6 on: shown", "looks from seed 3 on: shown or suggested")


def false_row(null: Differences, n: int) -> list[str]:
    found = [false_claims(null, n=n, m=m) for m in FAMILIES]
    return [null.name, str(n), *_both(found, n), f"{coverage(null, n=n):.3f}"]


def estimates_row(null: Differences, n: int) -> list[str]:
    """The medians in standard deviations of the differences."""
    found = estimates(null, n=n)
    mean, spread = (value / null.sd for value in found.median)
    return [
        null.name,
        str(n),
        f"{found.skewed:.3f}",
        f"{null.median / null.sd + 0.0:.2f}",
        f"{round(mean, 2) + 0.0:.2f} ± {spread:.2f}",
        f"{null.improvement:.2f}",
        f"{found.improvement[0]:.2f} ± {found.improvement[1]:.2f}",
    ]


def power_row(effect: float, n: int) -> list[str]:
    return [f"{effect:g}", str(n), *_both([power(effect, n=n, m=m) for m in FAMILIES], n)]


def looking_row(last: int) -> list[str]:
    return [str(last), *(f"{share:.3f}" for share in looking(last))]


def _both(found: list[tuple[float, float]], n: int) -> list[str]:
    """The shares shown, then those suggested; a dash where the number of seeds allows neither."""
    too_few = [n < seeds_needed(m, alpha=ALPHA) for m in FAMILIES]
    shown = [NO_NUMBER if few else f"{share:.3f}" for few, (share, _) in zip(too_few, found, strict=True)]
    suggested = [f"{share:.3f}" if few else NO_NUMBER for few, (_, share) in zip(too_few, found, strict=True)]
    return [*shown, *suggested]
