"""The table of metrics: every quantity recorded, its tag, and how it is named, shown and averaged.

Code that prints, plots, averages, clips or compares a metric asks this table. A monitor outside the package declares
its own `Metric`s; its runs write them into run.json, from which `MetricTable.of` adds them back to the table.

Imports nothing heavy: the study tools read run folders without torch.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from typing import Any, Literal

from gradflow.runs import tags

PERCENT, DECIMAL, POWER = "~%", "~g", "~e"  # d3 number formats, as Vega expects them
PER_CENT, FACTOR = "%", "factor"
NATS = "nats"
NO_NUMBER = "\N{EN DASH}"
SELECTED_ON_TEST = "selected on test"


@dataclass(frozen=True)
class Metric:
    """A recorded quantity.

    Attributes:
        tag: its key in TensorBoard and in run.json. One that ends in `/` stands for one value per layer, each recorded
            as `<tag><layer>`.
        words: what people read instead of the tag.
        unit: empty if there is none; `%` for a fraction in [0, 1] that is shown as a percentage; `factor` for a factor
            of the order of 1.
        low: the lowest possible value, at which a mean's interval is clipped.
        high: the highest possible value, likewise.
        is_logarithmic: whether it is averaged as log10, compared in decades and drawn on a logarithmic axis. Values
            that are not positive are then left out.
        better: whether the higher or the lower of two values is better; None if neither is.
        taken: when the value in run.json was taken; added to its words.
        shown: where the report shows the value in run.json: in a column of a table and a row of the CSV file
            (`table`), in the row only (`csv`), or in neither (`curves`).
        meaning: what it is, in a clause.
    """

    tag: str
    words: str
    unit: str = ""
    low: float = -math.inf
    high: float = math.inf
    is_logarithmic: bool = False
    better: Literal["higher", "lower"] | None = None
    taken: str = ""
    shown: Literal["table", "csv", "curves"] = "table"
    meaning: str = ""

    @property
    def is_by_layer(self) -> bool:
        return self.tag.endswith("/")

    @property
    def limits(self) -> tuple[float, float]:
        return self.low, self.high

    @property
    def is_fraction(self) -> bool:
        return self.unit == PER_CENT

    @property
    def with_unit(self) -> str:
        return f"{self.words} ({self.unit})" if self.unit else self.words

    @property
    def axis_format(self) -> str:
        if self.is_fraction:
            return PERCENT
        return POWER if self.is_logarithmic and self.unit != FACTOR else DECIMAL

    def number(self, value: float) -> str:
        """For a table: fractions as percentages with two decimals, others to four significant digits, NaN as a dash."""
        if math.isnan(value):
            return NO_NUMBER
        return f"{100 * value:.2f}" if self.is_fraction else f"{value:.4g}"

    def as_entry(self) -> dict[str, Any]:
        """The declaration as run.json stores it: whatever differs from the defaults."""
        defaults = {field.name: field.default for field in fields(self)}
        return {name: value for name, value in asdict(self).items() if value != defaults[name]}

    @classmethod
    def of_entry(cls, entry: Mapping[str, Any]) -> "Metric":
        """The declaration stored in run.json; entries that this version does not know are ignored."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in entry.items() if name in known})


def _scores() -> list[Metric]:
    """Every score of every part of the data, in the order of the report's table."""
    share = partial(Metric, "", unit=PER_CENT, low=0.0, high=1.0, better="higher")
    scores = {
        tags.ACC: share("accuracy"),
        tags.F1: share("macro F1", meaning="the unweighted mean over the labels of the F1 score"),
        tags.LABEL_ACC: share("label accuracy", meaning="the share of all labels of all samples that are right"),
        tags.EXACT_MATCH: share("exact match", meaning="the share of samples all of whose labels are right"),
        tags.R2: Metric("", "R²", high=1.0, better="higher"),
        tags.MAE: Metric("", "mean absolute error", unit="unit of the target", low=0.0, better="lower"),
        tags.LOSS: Metric("", "loss", low=0.0, better="lower"),
    }
    forms = [  # tag, words, the scores shown in the CSV file only
        (lambda score: tags.at_best(tags.test(score)), "test {} at the best epoch", (tags.LOSS,)),
        (tags.test, "test {}", (tags.LOSS,)),
        (lambda score: tags.running_bn(tags.test(score)), "test {} by batch norm's running averages", tags.SCORES),
        (lambda score: tags.recomputed_bn(tags.test(score)), "test {} by recomputed batch norm", tags.SCORES),
        (lambda score: tags.best(tags.val(score)), "validation {} at the best epoch", ()),
        (tags.val, "validation {}", tags.SCORES),
        (tags.train, "training {}", (tags.MAE, tags.LABEL_ACC, tags.EXACT_MATCH)),
    ]
    return [
        replace(score, tag=tag(name), words=words.format(score.words), shown="csv" if name in csv_only else "table")
        for tag, words, csv_only in forms
        for name, score in scores.items()
    ]


def _units() -> list[Metric]:
    """Every unit statistic, per layer and for all layers together."""
    quantities: dict[str, tuple[str, str, Literal["lower"] | None]] = {
        tags.DEAD_UNITS: (
            "dead units",
            "units whose slope is zero for every validation sample, so that no sample can change them",
            "lower",
        ),
        tags.LOW_SLOPE: (
            "entries with low slope",
            "entries whose slope is under 5 % of the function's largest: saturation, or the usual sparsity of a ReLU",
            None,
        ),
        tags.DORMANT_UNITS: ("dormant units", "units whose activity is at most 2.5 % of their layer's mean", None),
    }
    share = partial(Metric, unit=PER_CENT, low=0.0, high=1.0, taken="last epoch")
    pooled = [
        share(tags.of_layer(tag, tags.TOTAL), words, meaning=meaning, better=better)
        for tag, (words, meaning, better) in quantities.items()
    ]
    return [*pooled, *(replace(one, tag=one.tag.removesuffix(tags.TOTAL), shown="curves") for one in pooled)]


GAIN = "the factor by which the gradient changes from one layer to the layer before it: it vanishes under 1"
_magnitude = partial(Metric, low=0.0, is_logarithmic=True, taken="last epoch")

METRICS = (
    *_scores(),
    Metric(tags.TRAIN_LOSS_STEP, "training loss of a batch", low=0.0, better="lower", shown="curves"),
    _magnitude(tags.GAIN_PER_LAYER, "gradient gain per layer", unit=FACTOR, meaning=GAIN),
    _magnitude(tags.FIRST_TO_LAST, "gradient of the first hidden layer over that of the last", shown="csv"),
    _magnitude(tags.GRAD_NORM_TOTAL, "gradient norm"),
    _magnitude(tags.of_layer(tags.GRAD_NORM, ""), "gradient norm", shown="curves"),
    _magnitude(tags.of_layer(tags.GRAD_RMS, ""), "gradient, root mean square", shown="curves"),
    _magnitude(tags.GRAD_ABS_MEAN, "mean absolute gradient", shown="curves"),
    _magnitude(tags.GRAD_ABS_MEAN_ALL_STEPS, "mean absolute gradient", taken="all steps"),
    *_units(),
    Metric(tags.BEST_EPOCH, "best epoch, counted from 1", low=1.0, shown="curves"),
)


def of_groups(*groups: str) -> tuple[Metric, ...]:
    """The package's metrics whose tags begin with one of these words, such as `grad_norm` in `grad_norm/total`."""
    return tuple(metric for metric in METRICS if metric.tag.partition("/")[0].startswith(groups))


class MetricTable:
    """`METRICS`, and the metrics that a study's monitors declare.

    Args:
        declared: metrics of monitors outside the package, and scores of somebody's module, whose `val/acc` may be any.
        selected_on_test: whether a run chose its best epoch on test data, which the words of its scores then state.
        loss_unit: of every loss.
    """

    def __init__(self, declared: Iterable[Metric] = (), *, selected_on_test: bool = False, loss_unit: str = "") -> None:
        own = {metric.tag: replace(metric, unit=loss_unit) if _is_loss(metric) else metric for metric in METRICS}
        scores = {metric.tag for metric in _scores()}
        self._by_tag = own | {one.tag: one for one in declared if one.tag not in own or one.tag in scores}
        self._selected_on_test = selected_on_test

    @classmethod
    def of(cls, records: Sequence[Mapping[str, Any]]) -> "MetricTable":
        """The table for a study.

        Args:
            records: run.json of its runs.
        """
        entries = [entry for record in records for entry in record["declared_metrics"]]
        return cls(
            map(Metric.of_entry, entries),
            selected_on_test=selected_on_test(records),
            loss_unit=NATS if _all_classify(records) else "",
        )

    def __getitem__(self, tag: str) -> Metric:
        """The metric of any tag, under that tag; an undeclared one is named by its tag."""
        row = self.row(tag)
        if row is None:
            return Metric(tag, tag)
        if row.tag == tag:
            return row
        rest = tag.removeprefix(row.tag)
        part = rest if row.is_by_layer else f"optimizer {rest.removeprefix('_')}"
        return replace(row, tag=tag, words=f"{row.words}, {part}")

    def row(self, tag: str) -> Metric | None:
        """The declaration of a tag, whose own tag ends in `/` for a layer's value; None if there is none."""
        tag = tags.of_any_optimizer(tag)
        return self._by_tag.get(tag) or self._by_tag.get(f"{tag.rpartition('/')[0]}/")

    def final(self, tag: str) -> Metric:
        """The metric as run.json holds it: its words also state when it was taken, and what chose its epoch."""
        metric = self[tag]
        chosen = SELECTED_ON_TEST if self._selected_on_test and tags.is_of_best(tag) else ""
        return replace(metric, words=", ".join(filter(None, [metric.words, metric.taken, chosen])))

    def reported(self, recorded: Iterable[str]) -> list[str]:
        """The recorded tags that appear in the report's CSV file, in the order of the table, layers by name."""
        rows = {tag: row for tag in recorded if (row := self.row(tag)) is not None and row.shown != "curves"}
        order = list(self._by_tag)
        return sorted(rows, key=lambda tag: (order.index(rows[tag].tag), tag))


def _is_loss(metric: Metric) -> bool:
    return metric.tag.rpartition("/")[2].startswith(tags.LOSS)


def _all_classify(records: Sequence[Mapping[str, Any]]) -> bool:
    """Whether every run that has started learns classes or labels, by the package's own loss: a cross-entropy."""
    shares = [record.get("majority_share") for record in records if record.get("provenance")]
    return bool(shares) and None not in shares


def selected_on_test(records: Sequence[Mapping[str, Any]]) -> bool:
    """Whether any run chose its best epoch on the test data."""
    return any(record["selected_on"] == "test" for record in records)
