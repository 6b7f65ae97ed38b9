"""How often nominal 95 % intervals of an accuracy hold its true value for new images and new seeds.

    PYTHONPATH=src .venv/bin/python tests/benchmarks/intervals.py

A network is right about an image if c + seed + image + noise > 0, all three normal with mean 0, so that the true
accuracy is Φ(c / their joint standard deviation). In paired designs two networks share half of the seed's and most of
the image's effect, and the truth is the difference of their accuracies. A cell has the coverage and, in points, the
mean width. Eight minutes on one core.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tables
from scipy import stats

from gradflow.study import bootstrap
from gradflow.study.bootstrap import Answers, Interval
from gradflow.study.statistics import summary

NOISE = 0.5


@dataclass(frozen=True)
class Design:
    """What varies; standard deviations are in units of the image's effect.

    Attributes:
        seeds: runs.
        images: tested by each run.
        of_seeds: standard deviation of the seed's effect.
        of_images: standard deviation of the image's effect.
        pool: images of which each run draws its own test set; None: all runs have the same.
        paired: whether a difference between two networks is estimated.
        accuracies: of the first and the second network.
    """

    seeds: int
    images: int
    of_seeds: float
    of_images: float = 1.0
    pool: int | None = None
    paired: bool = False
    accuracies: tuple[float, float] = (0.95, 0.92)

    @property
    def truth(self) -> float:
        return self.accuracies[0] - self.accuracies[1] if self.paired else self.accuracies[0]

    def draw(self, generator: np.random.Generator) -> list[Answers]:
        """What one study measures, a value per seed and image."""
        size = self.pool or self.images
        joint = math.sqrt(self.of_seeds**2 + self.of_images**2 + NOISE**2)
        seed, image = generator.standard_normal((self.seeds, 1)), generator.standard_normal(size)
        share = math.sqrt(0.5) if self.paired else 1.0
        answers = []
        for accuracy in self.accuracies[: 2 if self.paired else 1]:
            own_seed = generator.standard_normal((self.seeds, 1))
            own_image = generator.standard_normal(size)
            seeds = self.of_seeds * (share * seed + math.sqrt(1 - share**2) * own_seed)
            images = self.of_images * (0.9 * image + math.sqrt(0.19) * own_image)
            noise = NOISE * generator.standard_normal((self.seeds, size))
            answers.append(stats.norm.ppf(accuracy) * joint + seeds + images + noise > 0)
        values = answers[0].astype(float) - (answers[1] if self.paired else 0)
        rows = [np.sort(generator.permutation(size)[: self.images]) for _ in range(self.seeds)]
        return [Answers(own, one[own]) for own, one in zip(rows, values, strict=True)]


@dataclass(frozen=True)
class Coverage:
    """The share of intervals that hold the truth, and their mean width."""

    share: float
    width: float


def seeds_alone(runs: list[Answers], _: np.random.Generator) -> Interval:
    """Student t over the seeds' means."""
    found = summary([float(run.values.mean()) for run in runs])
    return Interval(found.low, found.high)


def both_resampled(runs: list[Answers], generator: np.random.Generator, *, resamples: int = 1000) -> Interval:
    """Percentiles of the pigeonhole bootstrap: images and seeds drawn with replacement."""
    present, values = bootstrap._aligned(runs)
    images, seeds = present.shape[1], len(runs)
    counts = generator.multinomial(images, np.full(images, 1 / images), size=resamples).astype(float)
    weights = generator.multinomial(seeds, np.full(seeds, 1 / seeds), size=resamples) / seeds
    means = (weights * bootstrap.resampled_means(counts, present, values)).sum(axis=1)
    return Interval(*np.quantile(means, [0.025, 0.975]))


def in_the_report(runs: list[Answers], generator: np.random.Generator) -> Interval:
    return bootstrap.new_images_and_seeds(runs, resamples=1000, seed=int(generator.integers(2**31)))


METHODS: dict[str, Callable[[list[Answers], np.random.Generator], Interval]] = {
    "seeds alone": seeds_alone,
    "both resampled": both_resampled,
    "images resampled, t over seeds": in_the_report,
}


HEADER = ("design", "seeds", *METHODS)
REPETITIONS = 400  # the standard error of a coverage of 95 % is 1.1 points


def coverages(design: Design, *, repetitions: int, seed: int = 0) -> dict[str, Coverage]:
    """Of each method."""
    generator = np.random.default_rng(seed)
    found = {name: [] for name in METHODS}
    for _ in range(repetitions):
        runs = design.draw(generator)
        for name, method in METHODS.items():
            found[name].append(method(runs, generator))
    return {name: _coverage(np.array(intervals), design.truth) for name, intervals in found.items()}


def _coverage(intervals: np.ndarray, truth: float) -> Coverage:
    held = (intervals[:, 0] <= truth) & (truth <= intervals[:, 1])
    return Coverage(float(held.mean()), float(np.nanmean(intervals[:, 1] - intervals[:, 0])))


DESIGNS = {
    "seeds hardly differ": {"of_seeds": 0.05},
    "seeds differ": {"of_seeds": 0.2},
    "seeds differ greatly": {"of_seeds": 0.8},
    "own test set of 1,797": {"of_seeds": 0.2, "pool": 1797},
    "difference, seeds hardly differ": {"of_seeds": 0.05, "paired": True},
    "difference, seeds differ": {"of_seeds": 0.4, "paired": True},
    "difference of 0": {"of_seeds": 0.2, "paired": True, "accuracies": (0.95, 0.95)},
}


def main() -> None:
    rows = []
    for name, options in DESIGNS.items():
        for seeds in (3, 5, 10):
            found = coverages(Design(seeds=seeds, images=300, **options), repetitions=REPETITIONS)
            cells = [f"{100 * one.share:.0f} % ({100 * one.width:.1f})" for one in found.values()]
            rows.append([name, str(seeds), *cells])
    tables.publish("intervals", tables.markdown(HEADER, rows))


if __name__ == "__main__":
    main()
