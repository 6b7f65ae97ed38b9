"""Dead units."""

import functools
from collections.abc import Mapping, Sequence

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
    LOWER,
    RATE,
    RATE_CAUSE,
    TOO_MANY_DEAD,
    WIDTH,
    Training,
)
from gradflow.lesson.numbers import percent, short
from gradflow.lesson.section import Control, Entry, Figure, Folded, Panel, Remark, Rule, Section, Text

WORKS = 0.9  # of test accuracy: a cure that helps
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
            "What kills units, and what keeps them alive? Here are two causes and four cures, measured on real digits. "
            "Choose a cause and a cure, then move through the epochs: every square is a unit, and grey is dead."
        ],
        parts=[
            _figure(trained, seeds),
            Folded("Which cure helps against which cause?", [Text([_cures(trained), _leak(trained)]), _table(trained)]),
            Folded("Can a dead unit wake up?", [Text([_waking(trained)])]),
        ],
        rules=[_rule(trained)],
    )


def _found(trained: Trainings) -> str:
    fast, biased = (trained[cause][FAILS] for cause in (RATE_CAUSE, BIAS_CAUSE))
    lower = trained[RATE_CAUSE][LOWER]
    before = "already before training" if biased.dead[0] > TOO_MANY_DEAD else "before training"
    return (
        f"At a large rate (Adam at {HIGH_RATE:g}), {percent(fast.dead[-1])} of the units end up dead; at a tenth of "
        f"it, {percent(lower.dead[-1])}. A bias of {short(BAD_BIAS)} kills {percent(biased.dead[0])} {before}, and the "
        f"network ends at a test accuracy of {percent(biased.accuracy[-1])}."
    )


def _cures(trained: Trainings) -> str:
    helping = {cause: _helping(cures) for cause, cures in trained.items()}
    both = [cure for cure in helping[RATE_CAUSE] if cure in helping[BIAS_CAUSE]]
    against = "; ".join(f"against the {cause}, {_listed(cures)}" for cause, cures in helping.items())
    return (
        f"Each cure changes one thing. A test accuracy of {percent(WORKS)} or more is reached like this: {against}. "
        f"Against both: {_listed(both)}."
    )


def _helping(cures: Mapping[str, Training]) -> list[str]:
    """The cures with which training ends at `WORKS` or above."""
    return [cure for cure, one in cures.items() if cure != FAILS and one.accuracy[-1] >= WORKS]


def _listed(cures: Sequence[str]) -> str:
    return "no cure" if not cures else f"{', '.join(cures[:-1])} and {cures[-1]}" if len(cures) > 1 else cures[0]


def _leak(trained: Trainings) -> str:
    leaky, lower = trained[RATE_CAUSE]["leaky ReLU"], trained[RATE_CAUSE][LOWER]
    too_large = leaky.accuracy[-1] < lower.accuracy[-1]
    return (
        f"The slope of a leaky ReLU is never 0, so {percent(leaky.dead[-1])} of its units are dead. At the large rate "
        f"it ends at {percent(leaky.accuracy[-1])}"
        f"{f', below the {percent(lower.accuracy[-1])} of a tenth of the rate' if too_large else ''}."
        f"{' No unit dies, and the rate is still too large.' if too_large else ''}"
    )


def _waking(trained: Trainings) -> str:
    fast = trained[RATE_CAUSE][FAILS]
    rarely = " It is rare." if fast.woken < fast.ever_dead / 5 else ""
    return (
        "No gradient reaches a dead unit's own weights. A change in the layers before it can wake it up, or the "
        f"momentum of an optimizer such as Adam, or weight decay.{rarely} Of the {fast.ever_dead} units of the first "
        f"seed that were dead after some epoch at the large rate, {fast.woken} are alive at the end."
    )


def _rule(trained: Trainings) -> Rule:
    fast, lower = trained[RATE_CAUSE][FAILS], trained[RATE_CAUSE][LOWER]
    return Rule(
        f"Watch for dead units from the first epoch. If more than {percent(TOO_MANY_DEAD)} are dead (the threshold of "
        "gradflow's warning), look for the cause: the rate, the biases, a missing normalisation.",
        f"At a large rate, {percent(fast.dead[-1])} of the units end up dead and the test accuracy is "
        f"{percent(fast.accuracy[-1])}; at a tenth of it, {percent(lower.dead[-1])} and {percent(lower.accuracy[-1])}.",
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
        found=_found(trained),
        reading=f"Networks with {BLOCKS} hidden layers of {WIDTH} units. Curves are means of {seeds} seeds; the map is "
        "of the first seed. Dead: off for every test digit. Epoch 0 is before the first update.",
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
    """One row per network and epoch, with a 0 or a 1 for each unit, as one text."""
    return alt.InlineData(
        values=[
            {"cause": cause, "cure": cure, "epoch": epoch, "dead": "".join("01"[flag] for flag in flags.astype(int))}
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
        # Into a column of its own: a row that is filtered out and comes back would be split once more.
        chart.transform_calculate(flag="split(datum.dead, '')")
        .transform_flatten(["flag"])
        .transform_window(unit="row_number()")
        .transform_calculate(layer=f"1 + floor((datum.unit - 1) / {WIDTH})")
        .transform_calculate(
            column=f"(datum.unit - 1) % {_COLUMNS}",
            row=f"(datum.layer - 1) * {_ROWS_A_LAYER} + floor((datum.unit - 1) % {WIDTH} / {_COLUMNS})",
            state="datum.flag === '1' ? 'dead' : 'alive'",
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
        f"After the last epoch, means of the seeds. Large rate: {HIGH_RATE:g}. Bad bias: {short(BAD_BIAS)}, at a rate "
        f"of {RATE:g}. Leak: {LEAK:g}.",
        ["what goes wrong", "network", "dead before training", "dead at the end", "test accuracy"],
        rows,
    )
