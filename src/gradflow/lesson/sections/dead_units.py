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
    return Section(
        name="dead-units",
        title="Dead units",
        paragraphs=[
            "If the sum z of a ReLU unit is negative for every sample, its output is 0 for every sample, and so is its "
            "slope: no gradient reaches its weights. The unit is dead. What can still wake it up needs no gradient of "
            "its own: a change in the layers before it, the momentum of an optimizer such as Adam, or weight decay. "
            "The callback unit_statistics counts such units in every run; this page uses the same meter, on the test "
            "digits after each epoch.",
            _causes(trained),
            _cures(trained),
        ],
        parts=[_figure(trained, seeds), _table(trained)],
        rules=[_rule(trained)],
    )


def _causes(trained: Trainings) -> str:
    fast, biased = (trained[cause][FAILS] for cause in (RATE_CAUSE, BIAS_CAUSE))
    kills = fast.dead[-1] > fast.dead[0]
    return (
        f"Here are two ways to get dead units. One is a learning rate that is too large (Adam at {HIGH_RATE:g}): "
        f"{percent(fast.dead[0])} of the units are dead before training and {percent(fast.dead[-1])} at the end"
        f"{', because the updates throw the weights to where z is negative' if kills else ''}, with a test accuracy of "
        f"{percent(fast.accuracy[-1])}. Of the first seed's units that were dead after some epoch, {fast.woken} of "
        f"{fast.ever_dead} are alive at the end. The other is a bias that starts at {short(BAD_BIAS)}: "
        f"{percent(biased.dead[0])} of the units are dead before training and {percent(biased.dead[-1])} at the end, "
        f"with an accuracy of {percent(biased.accuracy[-1])}."
    )


def _cures(trained: Trainings) -> str:
    ends = {cause: {cure: one.accuracy[-1] for cure, one in cures.items()} for cause, cures in trained.items()}
    fast, biased, leaky = ends[RATE_CAUSE], ends[BIAS_CAUSE], trained[RATE_CAUSE]["leaky ReLU"]
    depends = any(
        max(one.values()) - min(value for cure, value in one.items() if cure != FAILS) > 0.2 for one in ends.values()
    )
    too_large = fast["leaky ReLU"] < fast["lower rate"]
    return (
        "Each cure changes one thing: leaky ReLU instead of ReLU, He initialisation with zero biases, a lower rate, or "
        f"BatchNorm.{' Not every cure works against every cause.' if depends else ''} Against the large rate, the "
        f"lower rate ends at {percent(fast['lower rate'])}, BatchNorm at {percent(fast['BatchNorm'])} and He "
        f"initialisation at {percent(fast['He initialisation'])}; against the bad bias, BatchNorm ends at "
        f"{percent(biased['BatchNorm'])}, He initialisation at {percent(biased['He initialisation'])} and the lower "
        f"rate at {percent(biased['lower rate'])}. The slope of a leaky ReLU is never 0, so "
        f"{percent(leaky.dead[-1])} of its units are dead; with the large rate it ends at {percent(fast['leaky ReLU'])}"
        f"{', below the lower rate all the same' if too_large else ''}."
    )


def _rule(trained: Trainings) -> Rule:
    def cured(cause: str) -> str:
        ends = [f"{percent(one.accuracy[-1])} ({cure})" for cure, one in trained[cause].items() if cure != FAILS]
        return f"{', '.join(ends[:-1])} and {ends[-1]}"

    fast, biased = (trained[cause][FAILS] for cause in (RATE_CAUSE, BIAS_CAUSE))
    return Rule(
        f"Watch for dead units from the first epoch. If more than {percent(TOO_MANY_DEAD)} are dead (the threshold of "
        "gradflow's warning), look for the cause: the rate, the biases, a missing normalisation.",
        f"With a large rate, {percent(fast.dead[-1])} of the units are dead and the accuracy is "
        f"{percent(fast.accuracy[-1])}; the cures end at {cured(RATE_CAUSE)}. With a bad bias, "
        f"{percent(biased.dead[-1])} are dead and the accuracy is {percent(biased.accuracy[-1])}; the cures end at "
        f"{cured(BIAS_CAUSE)}.",
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
        title="How units die, and four cures",
        reading=f"Networks with {BLOCKS} hidden layers of {WIDTH} units each on the built-in digits. Curves are means "
        f"of {seeds} seeds; the map shows every unit of the first seed at the chosen epoch, layer by layer from the "
        "top. Epoch 0 is before the first update.",
        controls=[
            Control("cause", "what goes wrong", {cause: cause for cause in causes}, causes[0], is_slider=False),
            Control("cure", "network in the map", {cure: cure for cure in cures}, FAILS, is_slider=False),
            Control("epoch", "epoch", {str(epoch): epoch for epoch in range(last + 1)}, last),
        ],
        legend=[
            *marks.line_legend(cures),
            Entry("dead unit", _DEAD, is_square=True),
            Entry("live unit", _ALIVE, is_square=True),
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
    """One row per network and epoch, with 0 or 1 for each unit."""
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
    """Each layer's number, at its middle."""
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
        f"After the last epoch. Leak: {LEAK:g}. Lower rate: {RATE:g} instead of {HIGH_RATE:g}, and with the bad bias "
        f"{LOW_RATE:g} instead of {RATE:g}.",
        ["what goes wrong", "network", "dead before training", "dead at the end", "test accuracy"],
        rows,
    )
