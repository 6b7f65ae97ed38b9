"""The comparisons of a study for the terminal: every number in a table, then every verdict in a sentence."""

from collections.abc import Sequence

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gradflow.study.comparison.outcome import Comparison, Outcome

_STYLES = {Outcome.HIGHER: "bold", Outcome.LOWER: "bold", Outcome.DIVERGED: "red"}
_CAPTION = (
    "difference: activation minus baseline, paired by seed; interval: Student t, 95 %, for each comparison on its own; "
    "p: exact two-sided sign flip; Holm: p corrected over all comparisons"
)


def comparison_table(comparisons: Sequence[Comparison]) -> Group:
    """One row per comparison, with the difference for every seed; below, one line per verdict."""
    if not comparisons:
        return Group(Text("nothing to compare"))
    table = Table()
    for header in ("activation", "at", "seed:difference"):
        table.add_column(header)
    for header in ("mean", "interval", "p", "Holm"):
        table.add_column(header, justify="right")
    for comparison in comparisons:
        table.add_row(*map(Text, _cells(comparison)))
    verdicts = [Text(f"- {c.verdict}", _STYLES.get(c.outcome, "")) for c in comparisons]
    return Group(Text(_title(comparisons[0])), table, Text(_CAPTION, "dim"), Padding(Group(*verdicts), (1, 0)))


def _title(comparison: Comparison) -> str:
    unit = " (decades, log10)" if comparison.in_decades else ""
    selected = ", selected on test" if comparison.selected_on_test else ""
    return f"{comparison.metric}{unit} against {comparison.baseline}{selected}"


def _cells(comparison: Comparison) -> list[str]:
    """`-` where there is no number."""
    differences = comparison.differences
    seeds, mean, interval = "-", "-", "-"
    if differences:
        pairs = zip(comparison.seeds, differences.values, strict=True)
        seeds = " ".join(f"{seed}:{value:+.3g}" for seed, value in pairs)
        mean = f"{differences.mean:+.3g}"
        if comparison.n > 1:
            interval = f"[{differences.low:+.3g}, {differences.high:+.3g}]"
    p_values = ["-" if p is None else f"{p:.2g}" for p in (comparison.p, comparison.holm)]
    return [comparison.activation, comparison.where or "-", seeds, mean, interval, *p_values]
