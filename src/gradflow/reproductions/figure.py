"""Published and measured values against depth: the picture of an experiment that varies depth."""

from pathlib import Path

import altair as alt
import numpy as np
import pandas as pd
import vl_convert

from gradflow.figures import marks
from gradflow.figures.palette import activation_colours
from gradflow.reproductions.measured import by_seed, cell
from gradflow.reproductions.numbers import summary_of
from gradflow.reproductions.published import Experiment
from gradflow.reproductions.stored import Tables
from gradflow.runs import tags
from gradflow.runs.metrics import MetricTable
from gradflow.study.statistics import summary

NAME = "by_depth.svg"
PUBLISHED, MEASURED, RECOMPUTED = "published", "measured", "recomputed batch norm"
_DASHES = {MEASURED: [1, 0], RECOMPUTED: [1, 3], PUBLISHED: [4, 4]}
_WIDTH, _HEIGHT = 340, 240  # pixels of a panel
_COLUMNS = ["activation", "blocks", "source", "mean", "low", "high"]


def by_depth(experiment: Experiment, tables: Tables) -> pd.DataFrame:
    """Every number published for a depth at which something was measured, and what was measured.

    Returns:
        Columns metric, activation, blocks, source (published, measured and, for a test score, measured with recomputed
        batch norm statistics), mean, low, high (NaN for a single run and for published numbers).
    """
    finished = tables.finished
    rows = []
    for claim in experiment.claims:
        values = list(by_seed(claim, tables).values())
        if claim.blocks is None or claim.from_blocks is not None or not values:
            continue
        found = summary_of(claim, values)
        point = {"metric": claim.metric, "activation": claim.activation, "blocks": claim.blocks}
        rows += [
            point | {"source": PUBLISHED, "mean": claim.published, "low": np.nan, "high": np.nan},
            point | {"source": MEASURED, "mean": found.mean, "low": found.low, "high": found.high},
        ]
        recomputed = tags.recomputed_bn(claim.metric)
        if recomputed in finished and len(kept := cell(finished, claim.activation, claim.blocks)[recomputed].dropna()):
            found = summary(kept.tolist(), within=MetricTable()[recomputed].limits)
            rows.append(point | {"source": RECOMPUTED, "mean": found.mean, "low": found.low, "high": found.high})
    return pd.DataFrame(rows)


def save(points: pd.DataFrame, folder: Path) -> None:
    """Write the picture into a folder that exists."""
    svg = vl_convert.vegalite_to_svg(chart(points).to_dict())
    (folder / NAME).write_text(svg, encoding="utf-8")


def chart(points: pd.DataFrame) -> alt.ConcatChart:
    """A panel for each metric of `by_depth`."""
    panels = [
        _panel(part, str(metric)).properties(width=_WIDTH, height=_HEIGHT)
        for metric, part in points.groupby("metric", sort=False)
    ]
    return (
        alt.concat(*panels)
        .properties(background="white")
        .configure_legend(orient="top", labelFontSize=12, titleFontSize=12, columnPadding=32)
        .configure_axis(labelFontSize=11, titleFontSize=12, titleFontWeight="normal", gridOpacity=0.4)
        .configure_view(stroke=None)
    )


def _panel(part: pd.DataFrame, metric: str) -> alt.LayerChart:
    shown = MetricTable().final(metric)
    colours = activation_colours(list(dict.fromkeys(part["activation"])))
    depths = sorted(part["blocks"].unique().tolist())
    y = marks.ValueAxis(shown.with_unit, shown, domain=marks.domain(part, shown))
    scale = alt.Scale(zero=False, nice=False, padding=14)
    x = alt.X("blocks:Q", title="blocks", axis=alt.Axis(values=depths, format="d", grid=False), scale=scale)
    base = alt.Chart().encode(x=x, color=marks.colour(colours, field="activation", title="activation"))
    dashes = {source: dash for source, dash in _DASHES.items() if source in set(part["source"])}
    scale = alt.Scale(domain=list(dashes), range=list(dashes.values()))
    dash = alt.StrokeDash("source:N", title="", scale=scale, sort=None)
    published = f"datum.source === '{PUBLISHED}'"
    line = base.mark_line(strokeWidth=2).encode(y=y.of("mean"), strokeDash=dash)
    rule = base.transform_filter("isValid(datum.low)").mark_rule(strokeWidth=2).encode(y=y.of("low"), y2="high:Q")
    open_mark, full_mark = (
        base.transform_filter(chosen).mark_point(size=60, opacity=1, filled=filled).encode(y=y.of("mean"))
        for chosen, filled in ((published, False), (f"!({published})", True))
    )
    intervals = [rule] if part["low"].notna().any() else []
    layers = [line, *intervals, open_mark.encode(fill=alt.value("white")), full_mark]
    return alt.LayerChart(layer=layers, data=marks.data(part, _COLUMNS))
