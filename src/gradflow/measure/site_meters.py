"""The meters of an activation's calls, and those of several processes put together."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from torch import distributed, nn

from gradflow.measure.activation_sites import Site
from gradflow.measure.units import ActivityMeter, SlopeMeter


@dataclass
class SiteMeters:
    """The meters of one site.

    Attributes:
        units: how many go in.
        slopes: None where they are not wanted, or the function is not elementwise.
        activity: None where it is not wanted.
        axis: of the units in the last call.
    """

    units: int
    slopes: SlopeMeter | None
    activity: ActivityMeter | None
    axis: int = 1


@dataclass
class Shown:
    """What a pass has shown.

    Attributes:
        order: all sites, in the order of their first call (the keys).
        meters: those that are measured.
        lost: why the sites of a path are not measured; an empty text if nobody wanted them.
    """

    order: dict[Site, None] = field(default_factory=dict)
    meters: dict[Site, SiteMeters] = field(default_factory=dict)
    lost: dict[str, str] = field(default_factory=dict)


def of_all_processes(mine: Shown) -> Shown:
    """What all processes have seen together, which each must ask for; one may have met sites that others have not."""
    if not (distributed.is_available() and distributed.is_initialized()) or distributed.get_world_size() == 1:
        return mine
    counted = {site: _sent(one) for site, one in mine.meters.items()}
    everyone: list[Any] = [None] * distributed.get_world_size()
    distributed.all_gather_object(everyone, (mine.order, counted, mine.lost))
    order = {site: None for sites, _, _ in everyone for site in sites}
    lost = {path: why for _, _, reasons in everyone for path, why in reasons.items()}
    meters: dict[Site, SiteMeters] = {}
    for site in order:
        parts: list[_Sent] = [sent[site] for _, sent, _ in everyone if site in sent]
        if len({part.units for part in parts}) > 1:
            lost[site.path] = "their number differs between processes"
        elif parts:
            meters[site] = _received(parts)
    return Shown(order, meters, lost)


class _Sent(NamedTuple):
    """What one process has counted at a site."""

    units: int
    largest: float
    slopes: dict[str, Any] | None
    activity: dict[str, Any] | None


def _sent(meters: SiteMeters) -> _Sent:
    slopes, activity = meters.slopes, meters.activity
    return _Sent(
        meters.units,
        slopes.largest if slopes is not None else 0.0,
        slopes.state() if slopes is not None else None,
        activity.state() if activity is not None else None,
    )


def _received(parts: Sequence[_Sent]) -> SiteMeters:
    """The meters of a site with what all processes have counted there."""
    slopes = [part.slopes for part in parts if part.slopes is not None]
    activity = [part.activity for part in parts if part.activity is not None]
    pooled = SiteMeters(
        parts[0].units,
        SlopeMeter(nn.Identity(), largest=parts[0].largest) if slopes else None,
        ActivityMeter() if activity else None,
    )
    if pooled.slopes is not None:
        pooled.slopes.pool(slopes)
    if pooled.activity is not None:
        pooled.activity.pool(activity)
    return pooled
