"""Which figures a report shows, in the order of its page: those for which the study has measurements."""

from collections.abc import Sequence
from dataclasses import replace

from gradflow.figures.marks import Legend, several_seeds
from gradflow.figures.panels import Figure
from gradflow.report import depth_charts, training_charts, unit_charts
from gradflow.report.frames import Frames
from gradflow.runs import tags
from gradflow.runs.record import Record
from gradflow.runs.tags import UNIT_QUANTITIES
from gradflow.study.captions import covers

_MEANS = "Large marks are means over the seeds, bars 95 % t intervals, small circles single seeds."
_RUNS = "Every mark is a run; the small circles repeat it."
_GAIN = (
    "The factor by which the gradient changes from one layer to the layer before it, over hidden layers of one shape, "
    "mean over the last epoch: under 1 it shrinks on its way to the input, over 1 it grows."
)
_FIRST_TO_LAST = (
    "The gradient (root mean square) of the first hidden layer over that of the last, mean over the last epoch. There "
    "is no gain per layer: no two hidden layers after the first have weights of one shape."
)
_MEAN_GRADIENT = (
    "Mean over trainable tensors (biases and normalisation included) of each tensor's mean absolute gradient, over all "
    "updates of training: its trend with depth also reflects the number of tensors."
)


def figures(frames: Frames, records: Sequence[Record], legend: Legend) -> list[Figure]:
    """Every figure that can be drawn, with what its intervals cover below it."""
    drawn = [
        _by_depth(frames, records, legend, metric=records[0]["headline"], name="headline", reading=_marks(frames)),
        _learning(frames, legend, metric=frames.validation, name="validation"),
        _learning(frames, legend, metric=tags.train(tags.LOSS), name="training_loss"),
        _gradient_by_layer(frames, legend),
        training_charts.over_training(frames, legend),
        _gradient_flow(frames, records, legend),
        _mean_gradient(frames, records, legend),
        *(_units(frames, legend, quantity=quantity) for quantity in UNIT_QUANTITIES),
    ]
    sentence = covers(records)
    return [
        replace(figure, reading=f"{figure.reading} {sentence}") if sentence and figure.panels else figure
        for figure in drawn
        if figure is not None
    ]


def _marks(frames: Frames) -> str:
    return _MEANS if several_seeds(frames.final) else _RUNS


def _by_depth(
    frames: Frames,
    records: Sequence[Record],
    legend: Legend,
    *,
    metric: str,
    name: str,
    reading: str,
) -> Figure | None:
    if metric not in set(frames.final["metric"]):
        return None
    shown, seeds = frames.table.final(metric), frames.seeds
    return depth_charts.by_depth(frames.final, seeds, legend, metric=shown, name=name, reading=reading)


def _gradient_flow(frames: Frames, records: Sequence[Record], legend: Legend) -> Figure | None:
    """The gain per layer; where no network of the study has one, the first hidden layer's gradient over the last's."""
    measured = set(frames.final["metric"])
    metric, name, what = (
        (tags.GAIN_PER_LAYER, "gain_per_layer", _GAIN)
        if tags.GAIN_PER_LAYER in measured
        else (tags.FIRST_TO_LAST, "first_to_last", _FIRST_TO_LAST)
    )
    return _by_depth(frames, records, legend, metric=metric, name=name, reading=f"{what} {_marks(frames)}")


def _learning(frames: Frames, legend: Legend, *, metric: str, name: str) -> Figure | None:
    if metric not in set(frames.learning["metric"]):
        return None
    return training_charts.learning_curves(frames.learning, legend, metric=frames.table[metric], name=name)


def _mean_gradient(frames: Frames, records: Sequence[Record], legend: Legend) -> Figure | None:
    if len(legend.depths) < 2:
        return None
    metric = tags.GRAD_ABS_MEAN_ALL_STEPS
    reading = f"{_MEAN_GRADIENT} {_marks(frames)}"
    return _by_depth(frames, records, legend, metric=metric, name="mean_gradient", reading=reading)


def _gradient_by_layer(frames: Frames, legend: Legend) -> Figure | None:
    return depth_charts.gradient_by_layer(frames.layers, legend) if len(frames.layers) else None


def _units(frames: Frames, legend: Legend, *, quantity: str) -> Figure | None:
    return (
        unit_charts.units(frames.units, legend, quantity=quantity)
        if quantity in set(frames.units["quantity"])
        else None
    )
