"""Which figures a report shows, in the order of its page: those for which the study has measurements."""

from collections.abc import Sequence

from gradflow import names
from gradflow.study import charts, unit_charts
from gradflow.study.configurations import Record
from gradflow.study.figure import Figure
from gradflow.study.final_metrics import UNIT_QUANTITIES
from gradflow.study.frames import Frames
from gradflow.study.labels import label
from gradflow.study.marks import Legend

_MARKS = "Large marks are means over the seeds, bars 95 % t intervals, small circles the seeds."
_DECADES = (
    "Powers of ten that the gradient loses from one hidden layer to the next on its way to the input, mean over the "
    "last epoch; negative: it grows."
)


def figures(frames: Frames, records: Sequence[Record], legend: Legend) -> list[Figure]:
    """Every figure that can be drawn."""
    headline = records[0]["headline"]
    drawn = [
        _by_depth(frames, records, legend, metric=headline, name="headline", reading=_MARKS),
        _learning(frames, legend, metric=frames.validation, name="validation"),
        _learning(frames, legend, metric="train/loss", name="training_loss"),
        _gradient_by_layer(frames, legend),
        _gradient_over_training(frames, legend),
        _by_depth(
            frames,
            records,
            legend,
            metric=names.DECADES_PER_LAYER,
            name="decades_per_layer",
            reading=f"{_DECADES} {_MARKS}",
        ),
        *(_units(frames, quantity=quantity) for quantity in UNIT_QUANTITIES),
    ]
    return [figure for figure in drawn if figure is not None]


def _by_depth(
    frames: Frames, records: Sequence[Record], legend: Legend, *, metric: str, name: str, reading: str
) -> Figure | None:
    if metric not in set(frames.final["metric"]):
        return None
    shown = label(metric, records)
    return charts.by_depth(frames.final, frames.seeds, legend, metric=metric, label=shown, name=name, reading=reading)


def _learning(frames: Frames, legend: Legend, *, metric: str, name: str) -> Figure | None:
    if metric not in set(frames.learning["metric"]):
        return None
    return charts.learning_curves(frames.learning, legend, metric=metric, label=label(metric), name=name)


def _gradient_by_layer(frames: Frames, legend: Legend) -> Figure | None:
    return charts.gradient_by_layer(frames.layers, legend) if len(frames.layers) else None


def _gradient_over_training(frames: Frames, legend: Legend) -> Figure | None:
    if not len(frames.training):
        return None
    return charts.gradient_over_training(frames.training, legend, stretch=frames.stretch)


def _units(frames: Frames, *, quantity: str) -> Figure | None:
    return unit_charts.units(frames.units, quantity=quantity) if quantity in set(frames.units["quantity"]) else None
