"""The average of every curve over the seeds, as one more TensorBoard run next to theirs: `<config>/mean/`."""

import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.plugins.custom_scalar import layout_pb2, metadata
from tensorboard.plugins.scalar import metadata as scalars

from gradflow.runs import folders, tags
from gradflow.runs.events import Curve, EventFile
from gradflow.runs.metrics import MetricTable
from gradflow.runs.record import Record, State
from gradflow.study.captions import covers
from gradflow.study.output import writing_to
from gradflow.study.records import whole_curves
from gradflow.study.statistics import band

MEAN, LOWER, UPPER, SEEDS = "mean", "lower", "upper", "seeds"


def align(runs: Sequence[Curve]) -> tuple[np.ndarray, np.ndarray]:
    """Align curves of different lengths on the union of their steps.

    Returns:
        Steps, shape (S,), and values, shape (runs, S), NaN where a run has no value at a step.
    """
    steps = np.unique(np.concatenate([run.steps for run in runs]))
    values = np.full((len(runs), len(steps)), np.nan)
    for row, run in zip(values, runs, strict=True):
        row[np.searchsorted(steps, run.steps)] = run.values
    return steps, values


def average_study(study: Path, records: Sequence[Record], *, output: Path | None = None) -> list[Path]:
    """Average the finished runs of every configuration, replacing the averages of an earlier call.

    A run whose curves are not whole is left out, which is said.

    Args:
        study: the study's folder.
        records: run.json of its runs.
        output: the folder to write to, if not the study's.

    Returns:
        The folders written, one per configuration with runs to average.

    Raises:
        ConfigError: if the folder may not be written to.
    """
    described = " ".join(filter(None, ["Mean over the seeds.", covers(records)]))
    finished: dict[str, list[Record]] = {}
    for record in records:
        if record["state"] == State.FINISHED:
            finished.setdefault(record["config"], []).append(record)
    table = MetricTable.of(records)
    written = []
    for config, runs in finished.items():
        read = [whole_curves(study, record) for record in runs]
        if whole := [found for found in read if found is not None]:
            said = described if len(whole) > 1 else ""
            written.append(_average(output or study, config, whole, table, described=said))
    return written


def _average(
    place: Path, config: str, runs: Sequence[Mapping[str, Curve]], table: MetricTable, *, described: str
) -> Path:
    """Write the mean and its bounds for every tag at every step, and the number of seeds behind them."""
    rows: dict[int, dict[str, float]] = {}
    tags = sorted({tag for run in runs for tag in run})
    for tag in tags:
        steps, values = align([run[tag] for run in runs if tag in run])
        metric = table[tag]
        averaged = band(values, log10=metric.is_logarithmic, within=metric.limits)
        for step, n, mean, low, high in zip(
            steps.tolist(), averaged.n, averaged.mean, averaged.low, averaged.high, strict=True
        ):
            row = {tag: mean, f"{LOWER}/{tag}": low, f"{UPPER}/{tag}": high}
            if n < len(runs):  # written only where seeds are missing
                row[f"{SEEDS}/{tag}"] = n
            rows.setdefault(step, {}).update({key: value for key, value in row.items() if np.isfinite(value)})
    if rows:
        rows[min(rows)][f"{SEEDS}/all"] = len(runs)
    events = _events(rows, tags, described=described)
    folder = place / config / MEAN
    with writing_to(place):
        _replace(folder, events)
    return folder


def _replace(folder: Path, events: Sequence[Event]) -> None:
    """Let these be the events of a folder. Readers find all of those before, nothing for a moment, or all of these."""
    unfinished = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(unfinished, ignore_errors=True)  # of a writer that was killed
    EventFile(unfinished).write(events)
    (written,) = unfinished.glob(folders.EVENT_FILES)
    folder.mkdir(exist_ok=True)
    for file in folder.glob(folders.EVENT_FILES):
        file.unlink()
    written.rename(folder / written.name)
    unfinished.rmdir()


def _events(rows: Mapping[int, Mapping[str, float]], tags: Sequence[str], *, described: str) -> list[Event]:
    now = time.time()
    events = [Event(wall_time=now, step=0, summary=_layout(tags))]
    known: set[str] = set()  # TensorBoard takes a tag's description from its first value
    for step, row in sorted(rows.items()):
        new = [tag for tag in row.keys() - known if described and not tag.startswith(f"{SEEDS}/")]
        first = {tag: scalars.create_summary_metadata(display_name="", description=described) for tag in new}
        known |= row.keys()
        values = [Summary.Value(tag=tag, simple_value=value, metadata=first.get(tag)) for tag, value in row.items()]
        events.append(Event(wall_time=now, step=step, summary=Summary(value=values)))
    return events


def _layout(present: Sequence[str]) -> Summary:
    """A chart of mean and band for every tag on TensorBoard's Custom Scalars page, one category per group of tags."""
    layout = layout_pb2.Layout()
    groups: dict[str, layout_pb2.Category] = {}
    for tag in present:
        group = tag.partition("/")[0]
        if group not in groups:
            groups[group] = layout.category.add(title=group, closed=group not in tags.OPEN_GROUPS)
        series = layout_pb2.MarginChartContent.Series(value=tag, lower=f"{LOWER}/{tag}", upper=f"{UPPER}/{tag}")
        groups[group].chart.add(title=tag, margin=layout_pb2.MarginChartContent(series=[series]))
    text = TensorProto(dtype="DT_STRING", string_val=[layout.SerializeToString()], tensor_shape=TensorShapeProto())
    described = metadata.create_summary_metadata()
    return Summary(value=[Summary.Value(tag=metadata.CONFIG_SUMMARY_TAG, tensor=text, metadata=described)])
