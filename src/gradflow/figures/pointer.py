"""What the page shows of the place nearest to the pointer: one tooltip with the values of all lines, and a rule."""

from collections.abc import Sequence

import altair as alt

from gradflow.figures.marks import spoken_value
from gradflow.runs.metrics import Metric

NAME = "pointer"


def pointer(x: alt.X, metric: Metric, *, line: str, at: Sequence[str]) -> alt.Chart:
    """A layer that finds the nearest x anywhere in a plot; its tooltip has a row for each line.

    Args:
        x: of the lines.
        metric: that they show.
        line: the field with a line's name; its values become the tooltip's titles.
        at: the fields that are the same at one place, that of `x` first; the tooltip begins with their names.
    """
    nearest = alt.selection_point(
        name=NAME, fields=[at[0]], nearest=True, on="pointermove", clear="pointerout", empty=False
    )
    return (
        alt.Chart()
        .transform_filter("isValid(datum.mean)")
        .transform_calculate(said=spoken_value(metric))
        .transform_pivot(line, value="said", groupby=list(at), op="max")
        .mark_rule(strokeWidth=1, tooltip=alt.TooltipContent("data"), color="currentColor")
        .encode(x=x, opacity=alt.condition(nearest, alt.value(0.4), alt.value(0)))
        .add_params(nearest)
    )
