"""Charts of mean and interval on TensorBoard's Custom Scalars page, of one pair of activations each.

A margin chart has one series, which is drawn for every run that has its three tags, in the run's colour; a run that has
some of them or a second series is reported as incomplete. So each chart has tags of its own, and the two runs that it
compares both hold them.
"""

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.plugins.custom_scalar import layout_pb2, metadata

from gradflow.runs.events import curves
from gradflow.runs.record import Record
from gradflow.runs.words import activation_words, setting_words
from gradflow.study.averaged_runs import BANDS, LOWER, MEAN, UPPER, Averages, digest_of, remove, replace
from gradflow.study.comparison.compare import BASELINE

GROUP = "with interval"  # of tags: behind those of the metrics, and no filter for one of these begins like it


@dataclass(frozen=True)
class MarginChart:
    """One chart: a metric, by the words for it, of one pair, in one place of the study, which is its category."""

    place: str
    words: str
    pair: str

    @property
    def title(self) -> str:
        return f"{self.words}: {self.pair}"

    def tag(self, kind: str) -> str:
        """Of its mean, or of one end of the interval."""
        return f"{GROUP}/{self.place}, {self.title}/{kind}"


def pairs(members: Mapping[str, tuple[str, str]]) -> dict[str, list[str]]:
    """The pairs that each member belongs to: at each place, every activation with the baseline.

    Args:
        members: name -> its place and activation. An activation that is alone at its place is a pair by itself.
    """
    found: dict[str, list[str]] = {member: [] for member in members}
    for place in dict.fromkeys(place for place, _ in members.values()):
        here = {activation: name for name, (there, activation) in members.items() if there == place}
        baseline = BASELINE if BASELINE in here else next(iter(here))
        others = [activation for activation in here if activation != baseline]
        for other in others:
            for activation in (other, baseline):
                found[here[activation]].append(f"{activation_words(other)} and {activation_words(baseline)}")
        if not others:
            found[here[baseline]].append(activation_words(baseline))
    return found


def place_of(records: Sequence[Record], where: str, *, variant: str) -> str:
    """`digits_depth: 4 blocks, with batch normalisation`: a page may show several studies."""
    return ": ".join(filter(None, [records[0]["study"], ", ".join(filter(None, [where, setting_words(variant)]))]))


def add_bands(averages: Averages, tag: str, charts: Iterable[MarginChart]) -> None:
    """Add a tag's mean and ends, at the steps that have all three, under the tags of these charts."""
    mean, lower, upper = (averages.get(kind, {}) for kind in (MEAN, LOWER, UPPER))
    bands = averages.setdefault(BANDS, {})
    complete = [step for step, row in lower.items() if tag in row and tag in mean[step] and tag in upper.get(step, {})]
    for chart in charts:
        for step in complete:
            of_kind = {MEAN: mean[step][tag], LOWER: lower[step][tag], UPPER: upper[step][tag]}
            bands.setdefault(step, {}).update({chart.tag(kind): value for kind, value in of_kind.items()})


def write_page(folder: Path, possible: Mapping[Path, Sequence[MarginChart]]) -> None:
    """Write the layout of the Custom Scalars page, with those charts only that have the data of both runs.

    Args:
        folder: where it goes; what it held of a page goes away if there is none to show.
        possible: the folders of averages, and the charts that each would take part in, in the order of the page.
    """
    members = Counter(chart for charts in possible.values() for chart in charts)
    drawn = Counter(chart for place, charts in possible.items() for chart in _drawn(place / BANDS, charts))
    shown = [chart for chart, count in members.items() if count == drawn[chart]]
    if shown:
        events = [Event(wall_time=time.time(), step=0, summary=_layout(shown))]
        replace(folder, events, digest=digest_of([chart.tag(MEAN) for chart in shown]))
    else:
        remove(folder)


def _drawn(bands: Path, charts: Sequence[MarginChart]) -> list[MarginChart]:
    present = curves(bands) if charts else {}
    return [chart for chart in charts if chart.tag(MEAN) in present]


def _layout(charts: Sequence[MarginChart]) -> Summary:
    """A category for each place, of which the first is open."""
    page = layout_pb2.Layout()
    by_place: dict[str, list[MarginChart]] = {}
    for chart in charts:
        by_place.setdefault(chart.place, []).append(chart)
    for number, (place, here) in enumerate(by_place.items()):
        category = page.category.add(title=place, closed=number > 0)
        for chart in reversed(here):  # the page shows a category's charts from the last to the first
            series = layout_pb2.MarginChartContent.Series(
                value=chart.tag(MEAN), lower=chart.tag(LOWER), upper=chart.tag(UPPER)
            )
            category.chart.add(title=chart.title, margin=layout_pb2.MarginChartContent(series=[series]))
    text = TensorProto(dtype="DT_STRING", string_val=[page.SerializeToString()], tensor_shape=TensorShapeProto())
    described = metadata.create_summary_metadata()
    return Summary(value=[Summary.Value(tag=metadata.CONFIG_SUMMARY_TAG, tensor=text, metadata=described)])
