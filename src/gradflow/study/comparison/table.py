"""The comparisons of a study for the terminal: every number in a table, then every verdict in a sentence."""

from collections.abc import Sequence

from rich.console import Group
from rich.text import Text

from gradflow.screen_table import Column, ScreenTable
from gradflow.study.comparison.claims import Comparison, Gap, Strength
from gradflow.study.comparison.evidence import all_equal
from gradflow.study.treatments import compared, heading
from gradflow.wrapping import Wrapped

_CAPTION = (
    "difference: {compared} minus baseline, paired by seed; interval: Student t, 95\N{NO-BREAK SPACE}%, for each "
    "comparison on its own, none where all differences are equal; p: exact two-sided sign flip; Holm: p corrected over "
    "the family"
)


def comparison_table(comparisons: Sequence[Comparison]) -> Group:
    """One row per comparison, with the difference for every seed; below, one line per verdict."""
    if not comparisons:
        return Group(Text("nothing to compare"))
    names = [one.activation for one in comparisons]
    leading = [Column(heading(names), wraps=True), Column("at", wraps=True)]
    numbers = [Column(header, is_number=True) for header in ("mean", "interval", "p", "Holm")]
    rows = [list(map(Text, _cells(comparison))) for comparison in comparisons]
    table = ScreenTable([*leading, Column("seed: difference", wraps=True), *numbers], rows, leading=2)
    verdicts = [Wrapped(Text(f"  {c.verdict}", _style(c)), hanging=2) for c in comparisons]
    caption = Wrapped(Text(_CAPTION.format(compared=compared(names)), "dim"))
    return Group(Wrapped(_title(comparisons[0])), table, caption, Text(), *verdicts, Text())


def _style(comparison: Comparison) -> str:
    if comparison.gap is Gap.DIVERGED:
        return "red"
    return "bold" if comparison.strength is Strength.SHOWN else ""


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
        seeds = " ".join(f"{seed}:{_signed(value, comparison)}" for seed, value in pairs)
        mean = _signed(differences.mean, comparison)
        if not all_equal(differences.values, rounding=comparison.rounding):
            interval = f"[{_signed(differences.low, comparison)}, {_signed(differences.high, comparison)}]"
    p_values = ["-" if p is None else f"{p:.2g}" for p in (comparison.p, comparison.holm)]
    return [comparison.activation, comparison.where or "-", seeds, mean, interval, *p_values]


def _signed(value: float, comparison: Comparison) -> str:
    """Three digits, of which rounding has made up none: what is no larger than it is 0."""
    return f"{0.0 if abs(value) <= comparison.rounding else value:+.3g}"
