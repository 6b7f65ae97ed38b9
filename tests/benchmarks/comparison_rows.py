"""Measurements taken in turn, round after round, and the rows that compare them.

A ratio is valid only within one run of the benchmarks: its two sides alternate, so that a machine that slows down for a
while slows down both.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median

import machine
from our_runs import Refused, Training
from processes import Finished, script_seconds

ATTEMPTS = 2
HEADER = ("what", "gradflow", "compared with", "ratio (rounds)", "ratio of the fastest", "target", "reached")


@dataclass(frozen=True)
class Measurement:
    """One process.

    Attributes:
        seconds: of its epochs or steps.
        process: the process as a whole.
        start_up: seconds until the first step, if known.
        warm_up: seconds until the end of the first epoch, less those of a later one, if known.
    """

    seconds: list[float]
    process: Finished
    start_up: float | None = None
    warm_up: float | None = None


def of_script(finished: Finished, *, skip: int = 1) -> Measurement:
    """A script's epochs or steps without the first `skip`."""
    return Measurement(script_seconds(finished)[skip:], finished)


def of_epochs(training: Training) -> Measurement:
    warm_up = training.first_epoch - median(training.epochs)
    return Measurement(training.epochs, training.process, training.start_up, warm_up)


def of_steps(training: Training) -> Measurement:
    return Measurement(training.steps, training.process, training.start_up)


@dataclass(frozen=True)
class Samples:
    """The measurements of all rounds, by the name of what was measured."""

    rounds: dict[str, list[Measurement]]
    refused: dict[str, str] = field(default_factory=dict)

    def medians(self, name: str) -> list[float]:
        """Median seconds of each round."""
        return [median(one.seconds) for one in self.rounds[name]]

    def seconds(self, name: str) -> float:
        """Median over the epochs or steps of all rounds."""
        return median(second for one in self.rounds[name] for second in one.seconds)

    def fastest(self, name: str) -> float:
        """The fastest epoch or step of all rounds: disturbances make a measurement slower, never faster."""
        return min(second for one in self.rounds[name] for second in one.seconds)

    def peak_mib(self, name: str) -> float:
        return median(one.process.peak_mib for one in self.rounds[name])

    def start_up(self, name: str) -> float:
        return median(one.start_up for one in self.rounds[name] if one.start_up is not None)

    def warm_up(self, name: str) -> float:
        return median(one.warm_up for one in self.rounds[name] if one.warm_up is not None)


def alternate(what: str, competitors: Mapping[str, Callable[[], Measurement]], *, rounds: int) -> Samples:
    """Measure all in turn, `rounds` times; a competitor that is refused is left out from then on.

    On a shared machine, wait for others to finish, and repeat the measurements that they disturbed.
    """
    samples = Samples({name: [] for name in competitors})
    for i in range(1, rounds + 1):
        for name, measure in competitors.items():
            if name in samples.refused:
                continue
            print(f"{what}: {name}, {i} of {rounds}", file=sys.stderr, flush=True)
            try:
                samples.rounds[name].append(undisturbed(measure))
            except Refused as error:
                samples.refused[name] = str(error)
    return samples


def undisturbed(measure: Callable[[], Measurement]) -> Measurement:
    """An undisturbed measurement, or the least disturbed of a few attempts."""
    tried: list[Measurement] = []
    for _ in range(ATTEMPTS):
        machine.wait_until_quiet()
        tried.append(measure())
        if tried[-1].process.others < machine.QUIET:
            break
        print(f"  others used {tried[-1].process.others:.1f} cores at the same time", file=sys.stderr, flush=True)
    return min(tried, key=lambda one: one.process.others)


@dataclass(frozen=True)
class Target:
    """A bound on a ratio.

    Attributes:
        bound: the limit; None for a ratio that is only reported.
        faster: whether the ratio is the other's time over gradflow's, at least the bound; otherwise it is gradflow's
            time over the other's, at most the bound.
    """

    bound: float | None
    faster: bool

    def ratio(self, ours: float, other: float) -> float:
        return other / ours if self.faster else ours / other

    def verdict(self, ratio: float) -> str:
        if self.bound is None:
            return ""
        return "yes" if (ratio >= self.bound if self.faster else ratio <= self.bound) else "**no**"

    def __str__(self) -> str:
        if self.bound is None:
            return ""
        return f"{self.bound:g} times faster" if self.faster else f"at most {self.bound:g}"


def faster(bound: float | None = None) -> Target:
    return Target(bound, faster=True)


def at_most(bound: float | None = None) -> Target:
    return Target(bound, faster=False)


def compare(what: str, samples: Samples, ours: str, other: str, target: Target) -> list[str]:
    """A row; its ratio is that of the medians over all rounds, then the smallest and largest of a single round."""
    if ours in samples.refused:
        return [what, f"not available: {samples.refused[ours]}", other, "", "", str(target), ""]
    if other in samples.refused:
        return [
            what,
            duration(samples.seconds(ours)),
            f"not available: {samples.refused[other]}",
            "",
            "",
            str(target),
            "",
        ]
    single = [target.ratio(a, b) for a, b in zip(samples.medians(ours), samples.medians(other), strict=True)]
    spread = f" ({min(single):.2f} to {max(single):.2f})" if len(single) > 1 else ""
    fastest = f"{target.ratio(samples.fastest(ours), samples.fastest(other)):.2f}"
    return costs(what, samples.seconds(ours), samples.seconds(other), other, target, spread=spread, fastest=fastest)


def costs(
    what: str, ours: float, other: float, name: str, target: Target, *, spread: str = "", fastest: str = ""
) -> list[str]:
    """A row of two durations; a duration that is a difference may be lost in noise and come out negative."""
    cells = [what, duration(ours), f"{duration(other)} {name}"]
    if other <= 0:
        return [*cells, "lost in noise", "", str(target), ""]
    ratio = target.ratio(ours, other)
    return [*cells, f"{ratio:.2f}{spread}", fastest, str(target), target.verdict(ratio)]


def figures(what: str, ours: str, *others: str) -> list[str]:
    """A row without a ratio."""
    return [what, ours, ", ".join(others), "", "", "", ""]


def duration(seconds: float) -> str:
    if abs(seconds) < 1e-3:
        return f"{seconds * 1e6:.0f} µs"
    return f"{seconds * 1e3:.1f} ms" if abs(seconds) < 0.1 else f"{seconds:.2f} s"
