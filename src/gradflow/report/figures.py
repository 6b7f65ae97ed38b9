"""Which figures a report shows, in the order of its page: those for which the study has measurements."""

from collections.abc import Sequence
from dataclasses import replace

from gradflow.figures.marks import Legend, depth_text, several_seeds
from gradflow.figures.panels import Figure
from gradflow.report import depth_charts, layer_charts, training_charts, unit_charts
from gradflow.report.depth_charts import Quantity
from gradflow.report.frames import Frames
from gradflow.runs import tags
from gradflow.runs.record import Record
from gradflow.runs.words import listed
from gradflow.study.captions import covers
from gradflow.study.configurations import activation_of

_MEANS = "Large marks are means over the seeds, bars 95 % t intervals, small circles single seeds."
_RUNS = "Every mark is one run."
_NEITHER, _EQUAL = "1: neither shrinks nor grows", "1: as large as in the last"
_GAIN = (
    "The gain is the factor by which the gradient changes from one layer to the layer before it, mean over the last "
    "epoch: under 1 it shrinks on its way to the input, over 1 it grows."
)
_FIRST_TO_LAST = (
    "Next to it the gradient (root mean square) of the first hidden layer over that of the last, mean over the last "
    "epoch. There is no gain per layer: no two hidden layers after the first have weights of one shape."
)
_MEAN_GRADIENT = (
    "Mean over trainable tensors (biases and normalisation included) of each tensor's mean absolute gradient, over all "
    "updates of training: its trend with depth also reflects the number of tensors."
)


def figures(frames: Frames, records: Sequence[Record], legend: Legend) -> list[Figure]:
    """Every figure that can be drawn, with what its intervals cover below it."""
    drawn = [
        _answer(frames, records, legend),
        training_charts.learning_curves(frames, legend),
        training_charts.over_training(frames, legend),
        layer_charts.gradient_by_layer(frames.layers, legend) if len(frames.layers) else None,
        _mean_gradient(frames, legend),
        *unit_charts.unit_maps(frames.units, legend, sigmoid_like=_sigmoid_like(records)),
    ]
    sentence = covers(records)
    return [
        replace(figure, reading=f"{figure.reading} {sentence}") if sentence and _has_intervals(figure) else figure
        for figure in drawn
        if figure is not None
    ]


def _has_intervals(figure: Figure) -> bool:
    """Whether it shows any: maps of units do not."""
    return bool(figure.panels) and figure.heat is None


def _sigmoid_like(records: Sequence[Record]) -> set[str]:
    """The activations that are flat at both ends."""
    return {activation_of(record["axes"]) for record in records if record["sigmoid_like"]}


def _marks(frames: Frames) -> str:
    return _MEANS if several_seeds(frames.final) else _RUNS


def _answer(frames: Frames, records: Sequence[Record], legend: Legend) -> Figure | None:
    """The score against depth, next to what depth does to the gradient."""
    measured = set(frames.final["metric"])
    headline = records[0]["headline"]
    quantities = [Quantity(frames.table.final(headline))] if headline in measured else []
    sentences = [_marks(frames)]
    for tag, words, says in ((tags.GAIN_PER_LAYER, _GAIN, _NEITHER), (tags.FIRST_TO_LAST, _FIRST_TO_LAST, _EQUAL)):
        if tag in measured:
            quantities.append(Quantity(frames.table.final(tag), reference=1.0, says=says))
            sentences += [words, _without_gain(frames, headline) if tag == tags.GAIN_PER_LAYER else ""]
            break
    if not quantities:
        return None
    return depth_charts.answer(frames, legend, quantities=quantities, reading=" ".join(filter(None, sentences)))


def _without_gain(frames: Frames, headline: str) -> str:
    """A sentence on the depths that have a score and no gain."""
    scored, gained = (
        set(frames.final.loc[frames.final["metric"] == tag, "blocks"].dropna())
        for tag in (headline, tags.GAIN_PER_LAYER)
    )
    missing = [depth_text(blocks) for blocks in sorted(scored - gained)]
    if not missing:
        return ""
    blocks = "block" if missing == ["1"] else "blocks"
    return f"It takes two hidden layers of one shape, so there is none with {listed(missing, last='or')} {blocks}."


def _mean_gradient(frames: Frames, legend: Legend) -> Figure | None:
    metric = tags.GRAD_ABS_MEAN_ALL_STEPS
    if len(legend.depths) < 2 or metric not in set(frames.final["metric"]):
        return None
    reading = f"{_MEAN_GRADIENT} {_marks(frames)}"
    quantity = Quantity(frames.table.final(metric))
    return depth_charts.by_depth(frames, legend, quantity=quantity, name="mean_gradient", reading=reading)
