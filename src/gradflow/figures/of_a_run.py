"""Pictures of one run: the gradient and the dead units of every layer, as PNG without a browser."""

from collections.abc import Mapping

import altair as alt
import pandas as pd
import vl_convert

WIDTH, HEIGHT, SCALE = 300, 190, 2.0  # pixels of the plot; TensorBoard shows pictures at about this width


def gradient_by_depth(rms_by_moment: Mapping[str, Mapping[str, float]]) -> alt.Chart:
    """Root mean square weight gradient against depth, one line per moment of training, on a logarithmic axis.

    Args:
        rms_by_moment: moment -> layer -> `grad_rms`, layers named in forward order.
    """
    rows = _rows(rms_by_moment)
    return (
        alt.Chart(rows[rows["value"] > 0], title="Gradient by depth")
        .mark_line(point=True)
        .encode(
            x=alt.X("layer:N", title="layer, input to output"),
            y=alt.Y("value:Q", title="gradient (rms)", scale=alt.Scale(type="log"), axis=_POWERS),
            color=alt.Color("moment:N", title=None, sort=list(rms_by_moment)),
        )
        .properties(width=WIDTH, height=HEIGHT)
    )


def dead_units_by_depth(fractions_by_moment: Mapping[str, Mapping[str, float]]) -> alt.Chart:
    """Fraction of dead units against depth, one bar per moment of training.

    Args:
        fractions_by_moment: moment -> layer -> `dead_units`, layers named in forward order.
    """
    moments = list(fractions_by_moment)
    return (
        alt.Chart(_rows(fractions_by_moment), title="Dead units by depth")
        .mark_bar()
        .encode(
            x=alt.X("layer:N", title="layer, input to output"),
            xOffset=alt.XOffset("moment:N", sort=moments),
            y=alt.Y("value:Q", title="dead units", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%")),
            color=alt.Color("moment:N", title=None, sort=moments),
        )
        .properties(width=WIDTH, height=HEIGHT)
    )


def _rows(values_by_moment: Mapping[str, Mapping[str, float]]) -> pd.DataFrame:
    """One row per moment and layer, in the order given."""
    rows = [(layer, value, moment) for moment, layers in values_by_moment.items() for layer, value in layers.items()]
    return pd.DataFrame(rows, columns=["layer", "value", "moment"])


_POWERS = alt.Axis(format="~e")


def png(chart: alt.Chart) -> bytes:
    """The chart as a PNG picture."""
    styled = chart.configure_legend(orient="top", labelFontSize=13).configure_axis(labelFontSize=12, titleFontSize=13)
    return vl_convert.vegalite_to_png(styled.to_dict(), scale=SCALE)
