"""Unit statistics of any network over a pass, without Lightning.

unit_pass = UnitPass(network)
with unit_pass:
    for x in batches:
        network(x)
unit_pass.values()  # {"dead_units/00_layer1.0.relu": 0.03125, ..., "dead_units/total": ...}
unit_pass.remarks()  # what could not be measured, a sentence each, said once
"""

import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from fnmatch import fnmatchcase

import torch
from torch import Tensor, nn

from gradflow import activations
from gradflow.measure.activation_sites import ActivationSites, Site
from gradflow.measure.axis_calls import Lost, Place
from gradflow.measure.site_meters import Shown, SiteMeters, of_all_processes
from gradflow.measure.site_names import SiteNames, listed
from gradflow.measure.units import ActivityMeter, Part, SlopeMeter
from gradflow.runs import tags


class UnitPass:
    """Counts dead, low-slope and dormant units of every activation of a network while it is entered.

    The same object serves one pass after the other: a site keeps its name. Put the network into evaluation mode; the
    gradient may be on or off. Under `torch.distributed` all processes must call `values`, which pools what they saw.

    Args:
        network: any module. gradflow's own networks keep their layers' names.
        units: the axis of the units by pattern of site paths (as in fnmatch), such as `{"features.*": -1}`, where
            layers do not say it or say it wrong; None leaves these sites out. The first pattern that fits counts.
        dead_units: whether `values` has `dead_units/<site>` and `dead_units/total`.
        low_slope: the same of `low_slope`.
        dormant_units: the same of `dormant_units`.
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        units: Mapping[str, int | None] | None = None,
        dead_units: bool = True,
        low_slope: bool = True,
        dormant_units: bool = True,
    ) -> None:
        self.network = network
        self._units = dict(units or {})
        self._wanted = {tags.DEAD_UNITS: dead_units, tags.LOW_SLOPE: low_slope, tags.DORMANT_UNITS: dormant_units}
        self._sites = ActivationSites(network, self)
        self._names = SiteNames()
        self._shown = Shown()
        self._said: set[str] = set()
        self._stack = ExitStack()

    def __enter__(self) -> "UnitPass":
        self._shown = Shown()
        if "torch._dynamo" in sys.modules:  # compiled code calls no hook and has no functions to be seen
            self._stack.enter_context(torch.compiler.set_stance("force_eager"))
        self._stack.enter_context(self._sites)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def before(self, site: Site, activation: Callable[[], nn.Module], z: Tensor, place: Place | Lost | None) -> None:
        """Count the slopes at a pre-activation."""
        meters, lost = self._shown.meters, self._shown.lost
        self._shown.order.setdefault(site)
        if site.path in lost:
            return
        axis = self._axis(site, z, place)
        if not isinstance(axis, int):
            lost[site.path] = axis or ""
            return
        if site not in meters:
            meters[site] = self._new_meters(activation(), units=z.shape[axis])
        mine = meters[site]
        if mine.units != z.shape[axis]:
            lost[site.path] = f"their number changes from {mine.units} to {z.shape[axis]} between two calls"
            return
        mine.axis = axis
        if mine.slopes is not None:
            mine.slopes.update(z.detach(), axis)

    def after(self, site: Site, a: Tensor) -> None:
        """Count the activations themselves."""
        mine = self._shown.meters.get(site)
        if mine is not None and mine.activity is not None and site.path not in self._shown.lost:
            mine.activity.update(a.detach(), mine.axis)

    def _axis(self, site: Site, z: Tensor, place: Place | Lost | None) -> int | str | None:
        """The axis of the units, or why nobody knows it; None if the site shall be left out."""
        for pattern, wanted in self._units.items():
            if fnmatchcase(site.path, pattern):
                if wanted is None or -z.dim() <= wanted < z.dim():
                    return None if wanted is None else wanted % z.dim()
                return f"units={{{pattern!r}: {wanted}}} names an axis that tensors of {z.dim()} axes do not have"
        if isinstance(place, Place):
            return place.axis
        if self._sites.layers:
            return self._axis_of_layer(site, z)
        return "no layer comes before it" if place is None else place.why

    def _axis_of_layer(self, site: Site, z: Tensor) -> int:
        """Where a listed layer's own affine map puts them."""
        (name, *_) = self._sites.layer_names[site.path]
        layer = next(one for one in self._sites.layers if one.name == name)
        return z.dim() - 1 if isinstance(layer.affine, nn.Linear) else 1

    def _new_meters(self, activation: nn.Module, *, units: int) -> SiteMeters:
        wants_slopes = self._wanted[tags.DEAD_UNITS] or self._wanted[tags.LOW_SLOPE]
        slopes = wants_slopes and (not self._sites.layers or activations.is_elementwise(activation))
        return SiteMeters(
            units,
            SlopeMeter(activation) if slopes else None,
            ActivityMeter() if self._wanted[tags.DORMANT_UNITS] else None,
        )

    def values(self) -> dict[str, float]:
        """Fractions by tag, of each site and of all together; a site that saw no entry has none."""
        self._shown = of_all_processes(self._shown)
        names = self._names.of(list(self._shown.order), self._sites.layer_names)
        kept = {site: one for site, one in self._shown.meters.items() if site.path not in self._shown.lost}
        measured = {names[site]: one for site, one in kept.items() if one.units}
        slopes = {name: one.slopes.compute() for name, one in measured.items() if one.slopes is not None}
        activity = {name: one.activity.compute() for name, one in measured.items() if one.activity is not None}
        parts: dict[str, dict[str, Part]] = {
            tags.DEAD_UNITS: {name: one.dead for name, one in slopes.items()},
            tags.LOW_SLOPE: {name: one.low for name, one in slopes.items()},
            tags.DORMANT_UNITS: activity,
        }
        result: dict[str, float] = {}
        for quantity, sites in parts.items():
            if self._wanted[quantity]:
                result |= _fractions(quantity, sites)
        return result

    def remarks(self) -> list[str]:
        """What the last pass could not measure and why, a sentence each, with a remedy; each is said once."""
        new = {key: sentence for key, sentence in self._complaints().items() if key not in self._said}
        self._said |= new.keys()
        return list(new.values())

    def _complaints(self) -> dict[str, str]:
        """Sentences by what they are about."""
        found: dict[str, str] = {}
        if (unseen := self._sites.unseen()) and not self._sites.layers:
            inside = listed(f"{path or 'the network'} ({kind})" for path, kind in unseen.items())
            found["unseen"] = f"activations inside {inside} are computed where nobody sees them and are not measured"
        reasons: dict[str, list[str]] = {}
        for path, why in self._shown.lost.items():
            if why:
                reasons.setdefault(why, []).append(path)
        for why, paths in reasons.items():
            found[why] = (
                f"units of {listed(paths)} are not measured: {why}; the option units says on which axis they lie, "
                f"e.g. units={{{paths[0]!r}: 1}}"
            )
        for pattern, axis in self._units.items():
            known = dict.fromkeys(site.path for site in self._shown.order)
            if known and not any(fnmatchcase(path, pattern) for path in known):
                found[pattern] = f"units={{{pattern!r}: {axis}}} fits no activation (there are {listed(known)})"
        if not self._sites.forward_passes:
            found["idle"] = f"{type(self.network).__name__} was not called, so that there are no units to measure"
        elif not self._shown.order:
            found["none"] = (
                f"no elementwise activation of torch was called in {type(self.network).__name__}: "
                "make one of your own a module, or look at a part that has some (submodule=...)"
            )
        return found


def _fractions(quantity: str, sites: Mapping[str, Part]) -> dict[str, float]:
    """What fraction each site's part is, and that of all sites together."""
    parts = {name: (int(part.size), int(part.of)) for name, part in sites.items()}
    parts = {name: (size, of) for name, (size, of) in parts.items() if of}
    if not parts:
        return {}
    result = {tags.of_layer(quantity, name): size / of for name, (size, of) in parts.items()}
    size, of = (sum(column) for column in zip(*parts.values(), strict=True))
    return result | {tags.of_layer(quantity, tags.TOTAL): size / of}
