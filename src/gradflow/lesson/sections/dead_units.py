"""Section 4: dead units."""

import functools
from collections.abc import Mapping

import altair as alt
import pandas as pd

from gradflow.figures.table import Table
from gradflow.lesson import marks
from gradflow.lesson.experiments.dead_units import (
    BAD_BIAS,
    BIAS_CAUSE,
    BLOCKS,
    FAILS,
    HIGH_RATE,
    LEAK,
    LOW_RATE,
    RATE,
    RATE_CAUSE,
    WIDTH,
    Training,
)
from gradflow.lesson.experiments.mistakes import TOO_MANY_DEAD
from gradflow.lesson.numbers import percent, short
from gradflow.lesson.section import Control, Entry, Figure, Panel, Remark, Rule, Section

_DEAD, _ALIVE = "#8a8a8a", "#3f9fdc"
_COLUMNS = 16  # units in a row of the map
_GAP = 1  # rows between two layers
_ROWS_A_LAYER = WIDTH // _COLUMNS + _GAP

Trainings = Mapping[str, Mapping[str, Training]]


def section(trained: Trainings, *, seeds: int) -> Section:
    """The section, from `dead_units.trainings`."""
    fast, biased = trained[RATE_CAUSE], trained[BIAS_CAUSE]
    return Section(
        name="dead-units",
        title="Dead units",
        paragraphs=[
            "A ReLU whose sum z is negative for every sample outputs 0 for every sample, and its slope is 0 for every "
            "sample: no gradient reaches its weights. It is dead, and only a change in the layers before it could wake "
            "it up. The callback unit_statistics counts such units in every training; this page uses the same meter, "
            "on the test digits after each epoch.",
            f"Two ways to kill: a learning rate that is too large (Adam at {HIGH_RATE:g}) throws weights so far that "
            f"z never comes back; a bias that starts at {short(BAD_BIAS)} lets many units begin dead. In the first, "
            f"{percent(fast[FAILS].dead[0])} of the units are dead before training and "
            f"{percent(fast[FAILS].dead[-1])} at the end, with a test accuracy of "
            f"{percent(fast[FAILS].accuracy[-1])}; in the second it is {percent(biased[FAILS].dead[-1])} and "
            f"{percent(biased[FAILS].accuracy[-1])}.",
            "Each cure changes one thing: the leak of leaky ReLU, He initialisation with biases of zero, a lower rate, "
            "BatchNorm. Not every cure helps against every cause: it has to remove what killed the units. Against the "
            f"large rate, the lower rate ends at {percent(fast['lower rate'].accuracy[-1])} and He initialisation at "
            f"{percent(fast['He initialisation'].accuracy[-1])}; against the bad bias, He initialisation ends at "
            f"{percent(biased['He initialisation'].accuracy[-1])} and the lower rate at "
            f"{percent(biased['lower rate'].accuracy[-1])}. A leak keeps every unit alive, but a rate that is too "
            f"large stays too large: {percent(fast['leaky ReLU'].accuracy[-1])}.",
        ],
        parts=[_figure(trained, seeds), _table(trained)],
        rules=[
            Rule(
                f"Watch the dead units from the first epoch on. Where more than {percent(TOO_MANY_DEAD)} are dead, "
                "mend what kills them: lower the rate, look at the biases, normalise, or take leaky ReLU.",
                f"With {percent(fast[FAILS].dead[-1])} of the units dead of a large rate the accuracy is "
                f"{percent(fast[FAILS].accuracy[-1])}, with a lower one {percent(fast['lower rate'].accuracy[-1])}; "
                f"with {percent(biased[FAILS].dead[-1])} dead of a bad bias {percent(biased[FAILS].accuracy[-1])}, "
                f"without that bias {percent(biased['He initialisation'].accuracy[-1])}.",
            )
        ],
    )


def _figure(trained: Trainings, seeds: int) -> Figure:
    causes, cures = list(trained), list(trained[RATE_CAUSE])
    curves, units = _curves(trained), _units(trained)
    last = len(trained[RATE_CAUSE][FAILS].dead) - 1
    here = "datum.cause === cause"
    titles = {"dead": "dead units", "accuracy": "test accuracy"}
    lines = functools.partial(marks.fractions_by_epoch, curves, by="cure", names=cures)
    pictures = [
        Panel(f"{cause}: {title}", lines(field, title, where=marks.same({"cause": cause})), height=200)
        for cause in causes
        for field, title in titles.items()
    ]
    unit_map = _map(units, "datum.cause === cause && datum.cure === cure && datum.epoch === epoch")
    return Figure(
        name="dead_units",
        title="Dying, and four cures",
        reading=f"Networks of {BLOCKS} hidden layers with {WIDTH} units each on the built-in digits; curves are means "
        f"of {seeds} seeds, the map shows every unit of the first seed at the chosen epoch, layer by layer from above. "
        "Epoch 0 is before the first update.",
        controls=[
            Control("cause", "what goes wrong", {cause: cause for cause in causes}, causes[0], is_slider=False),
            Control("cure", "network in the map", {cure: cure for cure in cures}, FAILS, is_slider=False),
            Control("epoch", "epoch", {str(epoch): epoch for epoch in range(last + 1)}, last),
        ],
        legend=[
            *marks.line_legend(cures),
            Entry("dead unit", _DEAD, is_square=True),
            Entry("living unit", _ALIVE, is_square=True),
        ],
        panels=[
            *(
                Panel(title.capitalize(), lines(field, title, where=here, marker="epoch"), height=260)
                for field, title in titles.items()
            ),
            Panel("Every unit of the chosen network", unit_map, height=260),
        ],
        picture=pictures,
        columns=2,
        remarks=[
            _remark(trained, cause, cure, epoch) for cause in causes for cure in cures for epoch in range(last + 1)
        ],
    )


def _remark(trained: Trainings, cause: str, cure: str, epoch: int) -> Remark:
    training = trained[cause][cure]
    flags = training.units[epoch]
    return Remark(
        {"cause": cause, "cure": cure, "epoch": epoch},
        {
            "dead in the map": f"{int(flags.sum())} of {len(flags)} units",
            "dead, mean of the seeds": percent(training.dead[epoch]),
            "test accuracy, mean of the seeds": percent(training.accuracy[epoch], 1),
        },
    )


def _curves(trained: Trainings) -> pd.DataFrame:
    parts = [
        pd.DataFrame(
            {
                "cause": cause,
                "cure": cure,
                "epoch": range(len(training.dead)),
                "dead": training.dead,
                "accuracy": training.accuracy,
            }
        )
        for cause, trainings in trained.items()
        for cure, training in trainings.items()
    ]
    return pd.concat(parts, ignore_index=True)


def _units(trained: Trainings) -> alt.InlineData:
    """One row a network and epoch, with 0 or 1 for each unit."""
    return alt.InlineData(
        values=[
            {"cause": cause, "cure": cure, "epoch": epoch, "dead": flags.astype(int).tolist()}
            for cause, trainings in trained.items()
            for cure, training in trainings.items()
            for epoch, flags in enumerate(training.units)
        ]
    )


def _map(units: alt.InlineData, where: str) -> alt.LayerChart:
    axis = alt.Axis(labels=False, ticks=False, domain=False, grid=False)
    height = BLOCKS * _ROWS_A_LAYER - _GAP
    cells = (
        alt.Chart()
        .mark_rect(stroke=None)
        .encode(
            x=alt.X("column:Q", title="units of a layer", axis=axis, scale=alt.Scale(domain=[0, _COLUMNS], nice=False)),
            x2="column_end:Q",
            y=alt.Y("row:Q", title=None, axis=_layer_axis(), scale=alt.Scale(domain=[height, 0], nice=False)),
            y2="row_end:Q",
            color=alt.Color("state:N", title="", scale=alt.Scale(domain=["dead", "alive"], range=[_DEAD, _ALIVE])),
            tooltip=[alt.Tooltip("layer:Q"), alt.Tooltip("state:N")],
        )
    )
    chart = marks.layers(cells, data=units, where=where)
    return (
        chart.transform_flatten(["dead"])
        .transform_window(unit="row_number()")
        .transform_calculate(layer=f"1 + floor((datum.unit - 1) / {WIDTH})")
        .transform_calculate(
            column=f"(datum.unit - 1) % {_COLUMNS}",
            row=f"(datum.layer - 1) * {_ROWS_A_LAYER} + floor((datum.unit - 1) % {WIDTH} / {_COLUMNS})",
            state="datum.dead ? 'dead' : 'alive'",
        )
        .transform_calculate(column_end="datum.column + 0.88", row_end="datum.row + 0.88")
    )


def _layer_axis() -> alt.Axis:
    """The number of each layer at its middle."""
    middles = [layer * _ROWS_A_LAYER + (_ROWS_A_LAYER - _GAP) / 2 for layer in range(BLOCKS)]
    text = f"'layer ' + (1 + floor(datum.value / {_ROWS_A_LAYER}))"
    return alt.Axis(values=middles, labelExpr=text, ticks=False, domain=False, grid=False)


def _table(trained: Trainings) -> Table:
    rows = [
        [cause, cure, percent(training.dead[0]), percent(training.dead[-1]), percent(training.accuracy[-1], 1)]
        for cause, trainings in trained.items()
        for cure, training in trainings.items()
    ]
    return Table(
        f"After the last epoch. Leak: {LEAK:g}. Lower rate: {RATE:g} in place of {HIGH_RATE:g}, and with the bad bias "
        f"{LOW_RATE:g} in place of {RATE:g}.",
        ["what goes wrong", "network", "dead before training", "dead at the end", "test accuracy"],
        rows,
    )
