"""What a rule finds in one configuration, and how configurations that share it become one finding."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from gradflow.advise.measured_run import Sighting


@dataclass(frozen=True)
class Place:
    """Some configurations of a study: every combination of these.

    Attributes:
        activations: as the study's tables name them.
        depths: numbers of blocks; None where a network has none.
        others: the other axes that the study varies, as text, `model.norm=none`; empty where there are none.
    """

    activations: tuple[str, ...]
    depths: tuple[int | None, ...]
    others: tuple[str, ...] = ("",)

    def __str__(self) -> str:
        """`sigmoid and tanh, blocks=4, 6, 8, model.norm=none`."""
        depths = ", ".join(str(depth) for depth in self.depths if depth is not None)
        parts = [" and ".join(self.activations), f"blocks={depths}" if depths else "", " and ".join(self.others)]
        return ", ".join(filter(None, parts))

    def within(self, whole: "Place") -> str:
        """What tells this from the rest of a larger place: `blocks=6`."""
        apart = Place(
            () if self.activations == whole.activations else self.activations,
            () if self.depths == whole.depths else self.depths,
            () if self.others == whole.others else self.others,
        )
        return str(apart)


@dataclass(frozen=True)
class Case:
    """A rule holds somewhere.

    Attributes:
        holds: the number of runs in which it holds (for comparisons: of the pair's seeds).
        judged: the number of runs judged.
        seen: what was seen in a single configuration each, the worst first.
        remedies: what helps there.
    """

    place: Place
    holds: int
    judged: int
    seen: tuple[tuple[Place, Sighting], ...]
    remedies: tuple[str, ...]

    @property
    def badness(self) -> float:
        return self.seen[0][1].badness

    @property
    def evidence(self) -> str:
        """The worst, and how bad the mildest is; both with their configuration where there are several."""
        (where, worst), (elsewhere, mildest) = self.seen[0], self.seen[-1]
        if self.place == where:
            ending = f"the worst seed; the mildest of the {len(self.seen)}: {mildest.number}"
        else:
            ending = f"the worst; the mildest, {elsewhere.within(self.place)}: {mildest.number}"
        name = where.within(self.place)
        text = f"{name}: {worst.evidence}" if name else worst.evidence
        return text if worst.number == mildest.number else f"{text} ({ending})"


def shared(cases: Sequence[Case]) -> list[Case]:
    """The cases of one rule, of which those with the same remedies that differ in a single axis become one.

    Depths come first, so that what holds at several depths of an activation is said of that activation.
    """
    by_depth = _merged(cases, lambda place: (place.activations, place.others))
    by_activation = _merged(by_depth, lambda place: (place.depths, place.others))
    return _merged(by_activation, lambda place: (place.activations, place.depths))


def _merged(cases: Sequence[Case], rest: Callable[[Place], Hashable]) -> list[Case]:
    """The cases with those as one that have the same remedies and the same `rest` of their place."""
    groups: dict[Any, list[Case]] = {}
    for case in cases:
        groups.setdefault((case.remedies, rest(case.place)), []).append(case)
    return [group[0] if len(group) == 1 else _one(group) for group in groups.values()]


def _one(cases: Sequence[Case]) -> Case:
    places = [case.place for case in cases]
    place = Place(
        tuple(dict.fromkeys(chain.from_iterable(place.activations for place in places))),
        tuple(dict.fromkeys(chain.from_iterable(place.depths for place in places))),
        tuple(dict.fromkeys(chain.from_iterable(place.others for place in places))),
    )
    seen = sorted(chain.from_iterable(case.seen for case in cases), key=lambda one: -one[1].badness)
    holds, judged = sum(case.holds for case in cases), sum(case.judged for case in cases)
    return Case(place, holds, judged, tuple(seen), cases[0].remedies)
