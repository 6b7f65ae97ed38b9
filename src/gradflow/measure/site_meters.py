"""The meters of an activation's calls, and those of several processes put together."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor, distributed, nn
from torchmetrics import Metric

from gradflow.measure.activation_sites import Site
from gradflow.measure.units import ActivityMeter, SlopeMeter

State = dict[str, Tensor]
Meter = TypeVar("Meter", bound=Metric)


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
    slopes: State | None
    activity: State | None


def _sent(meters: SiteMeters) -> _Sent:
    largest = 0.0 if meters.slopes is None else meters.slopes.largest
    return _Sent(meters.units, largest, _state(meters.slopes), _state(meters.activity))


def _state(meter: Metric | None) -> State | None:
    return None if meter is None else {name: getattr(meter, name).cpu() for name in meter.metric_state}


def _received(parts: Sequence[_Sent]) -> SiteMeters:
    slopes = [part.slopes for part in parts if part.slopes is not None]
    activity = [part.activity for part in parts if part.activity is not None]
    meter = SlopeMeter(nn.Identity(), largest=parts[0].largest, sync_on_compute=False)
    return SiteMeters(
        parts[0].units,
        _pooled(meter, slopes) if slopes else None,
        _pooled(ActivityMeter(sync_on_compute=False), activity) if activity else None,
    )


def _pooled(meter: Meter, states: Sequence[State]) -> Meter:
    """A new meter with what several have counted; one that has seen no batch has no units."""
    for name in meter.metric_state:
        counts = [state[name] for state in states if state[name].dim() == 0 or len(state[name])]
        if counts:
            stacked = torch.stack(counts)
            setattr(meter, name, stacked.amax(0) if name == "slope_max" else stacked.sum(0))
    return meter
