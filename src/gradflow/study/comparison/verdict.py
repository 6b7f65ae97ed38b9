"""What can be concluded from the comparisons of a study, in words."""

import math
from collections import Counter
from collections.abc import Sequence

from gradflow.study.comparison.outcome import Comparison, Outcome
from gradflow.study.comparison.tuning import LR, Choice, show


def verdict(comparison: Comparison) -> str:
    """One sentence: the finding, the missing runs, and the learning rate at which it holds."""
    return f"{finding(comparison)}{_left_out(comparison)}, {rate(comparison)}"


def finding(comparison: Comparison) -> str:
    """The verdict without the missing runs and the learning rate."""
    c = comparison
    if c.claimed:
        return _claim(c)
    pair = f"{c.activation} against {c.baseline}{_at(c)}: "
    if c.outcome is Outcome.NO_DIFFERENCE:
        return f"{pair}no difference shown, {_estimate(c, 1)} ({_evidence(c)})"
    if c.outcome is Outcome.TOO_FEW:
        plural = "" if c.family == 1 else "s"
        return f"{pair}too few seeds for a claim: {c.n} of the {c.needed} needed for {c.family} comparison{plural}"
    if c.outcome is Outcome.DIVERGED:
        runs = "; ".join(f"{name}, seed {seed}" for name, seed in c.diverged)
        return f"{pair}a seed diverged ({runs}): no verdict"
    if c.outcome is Outcome.NO_CHOICE:
        nameless = " and ".join(name for name, choice in c.choices.items() if not choice.found)
        return f"{pair}no value of {_tuned_key(c)} is left for {nameless}: no verdict"
    if c.outcome is Outcome.NO_BASELINE:
        return f"{pair}{c.baseline} was not run there: no verdict"
    return f"{pair}no seed in common: no verdict"


def rate(comparison: Comparison) -> str:
    """The learning rate at which a verdict holds, or how it was chosen."""
    parts = []
    if comparison.choices:
        parts.append(_tuned(comparison))
    if _tuned_key(comparison) != LR:
        lrs = comparison.lrs
        if len(set(lrs.values())) > 1:
            sides = ", ".join(f"{_lr(lr)} ({name})" for name, lr in lrs.items())
            parts.append(f"at lr = {sides}, untuned")
        else:
            parts.append(f"at lr = {_lr(next(iter(lrs.values()), None))}, untuned")
    return ", ".join(parts)


def overall(comparisons: Sequence[Comparison]) -> str:
    """The verdict on a whole study, in two sentences at most."""
    if not comparisons:
        return "Nothing to compare: the study has only one activation."
    claimed = [c for c in comparisons if c.claimed]
    sentence = _won_and_lost(comparisons) if claimed else _no_claim(comparisons)
    return f"{sentence}, {_common_rate(comparisons)}.{_largest(comparisons)}"


def _won_and_lost(comparisons: Sequence[Comparison]) -> str:
    """`relu is better than sigmoid (test/acc_at_best) in 4 of 5 comparisons, worse in 0, undecided in 1 (...)`."""
    first = comparisons[0]
    above, below = ("better", "worse") if first.better else ("higher", "lower")
    # From the baseline's side: it is better where an activation is lower, unless lower is better.
    wins, losses = (Outcome.HIGHER, Outcome.LOWER) if first.better == "lower" else (Outcome.LOWER, Outcome.HIGHER)
    counts = Counter(c.outcome for c in comparisons)
    undecided = len(comparisons) - counts[wins] - counts[losses]
    because = f" ({_reasons(comparisons)})" if undecided else ""
    return (
        f"{first.baseline} is {above} than {_others(comparisons)} ({_metric(first)}) in {counts[wins]} of "
        f"{len(comparisons)} comparisons, {below} in {counts[losses]}, undecided in {undecided}{because}"
    )


def _no_claim(comparisons: Sequence[Comparison]) -> str:
    """`No claim about relu against sigmoid (test/acc_at_best): too few seeds (needs 8) in 5 of 5 comparisons`."""
    first = comparisons[0]
    of = f" of {len(comparisons)} comparison{'s' if len(comparisons) > 1 else ''}"
    pair = f"{first.baseline} against {_others(comparisons)} ({_metric(first)})"
    return f"No claim about {pair}: {_reasons(comparisons)}{of}"


def _others(comparisons: Sequence[Comparison]) -> str:
    others = list(dict.fromkeys(c.activation for c in comparisons))
    return others[0] if len(others) == 1 else f"{len(others)} other activations"


def _metric(comparison: Comparison) -> str:
    return f"{comparison.metric}, selected on test" if comparison.selected_on_test else comparison.metric


def _reasons(comparisons: Sequence[Comparison]) -> str:
    """`no difference shown in 1, a seed diverged in 2`, for the comparisons without a claim."""
    counts = Counter(c.outcome for c in comparisons if not c.claimed)
    return ", ".join(f"{_reason(outcome, comparisons[0])} in {n}" for outcome, n in counts.items())


def _reason(outcome: Outcome, comparison: Comparison) -> str:
    return f"{outcome} (needs {comparison.needed})" if outcome is Outcome.TOO_FEW else outcome.value


def _largest(comparisons: Sequence[Comparison]) -> str:
    claimed = [c for c in comparisons if c.claimed]
    seen = claimed or [c for c in comparisons if c.outcome in (Outcome.NO_DIFFERENCE, Outcome.TOO_FEW)]
    if not seen:
        return ""
    largest = max(seen, key=lambda c: abs(c.differences.mean) if c.differences else 0.0)
    if claimed:
        return f" The largest difference: {finding(largest)}."
    estimate = _estimate(largest, 1)
    pair = f"{largest.activation} minus {largest.baseline}{_at(largest)}"
    return f" The largest difference observed, {pair}, is {estimate}; it supports no claim."


def _common_rate(comparisons: Sequence[Comparison]) -> str:
    rates = list(dict.fromkeys(rate(c) for c in comparisons))
    if len(rates) == 1:
        return rates[0]
    chosen = {str(dict(choice.axes)): choice for c in comparisons for choice in c.choices.values()}
    if not chosen:
        return "each at its own lr, untuned"
    first, *_ = chosen.values()
    edges = sum(choice.at_edge for choice in chosen.values())
    note = f", {edges} of {len(chosen)} at the edge of the tried range" if edges else ""
    untuned = "" if first.key == LR else ", lr untuned"
    return f"each at its {_best(comparisons[0], first)} (tuned on seeds {show(first.seeds)}{note}){untuned}"


def _claim(c: Comparison) -> str:
    """`relu beats sigmoid at blocks=4 by 0.031 [0.021, 0.041] (8 seeds, p = 0.0078, Holm 0.039)`."""
    assert c.differences is not None
    sign = 1 if c.outcome is Outcome.HIGHER else -1
    above, below = (c.activation, c.baseline)[::sign]
    estimate = f"by {_estimate(c, sign)} ({_evidence(c)})"
    if c.better is None:
        return f"{above} has a higher {c.metric} than {below}{_at(c)} {estimate}"
    if c.better == "lower":
        above, below = below, above
    return f"{above} beats {below}{_at(c)} {estimate}"


def _estimate(c: Comparison, sign: int) -> str:
    """Mean difference and its interval, to two digits of the interval's half width."""
    assert c.differences is not None
    mean, low, high = (sign * value for value in (c.differences.mean, c.differences.low, c.differences.high))
    half = abs(high - low) / 2
    digits = max(0, 1 - math.floor(math.log10(half))) if half > 0 else 3
    interval = f" [{min(low, high):.{digits}f}, {max(low, high):.{digits}f}]" if math.isfinite(half) else ""
    return f"{mean:.{digits}f}{' decades' if c.in_decades else ''}{interval}"


def _evidence(c: Comparison) -> str:
    return f"{c.n} seeds, p = {c.p:.2g}, Holm {c.holm:.2g}"


def _left_out(c: Comparison) -> str:
    """`; left out: sigmoid seeds 3, 4 (failed)`."""
    seeds: dict[tuple[str, str], list[int]] = {}
    for name, seed, why in c.left_out:
        seeds.setdefault((name, why), []).append(seed)
    runs = ", ".join(
        f"{name} seed{'' if len(missing) == 1 else 's'} {show(missing)} ({why})"
        for (name, why), missing in seeds.items()
    )
    return f"; left out: {runs}" if runs else ""


def _at(c: Comparison) -> str:
    return f" at {c.where}" if c.where else ""


def _lr(value: float | None) -> str:
    return "an unrecorded value" if value is None else f"{value:g}"


def _tuned_key(c: Comparison) -> str | None:
    return next((choice.key for choice in c.choices.values()), None)


def _best(c: Comparison, choice: Choice) -> str:
    """Names the scores that chose a value, where they are not the ones compared."""
    return f"best {_key(choice)}"


def _key(choice: Choice) -> str:
    return "lr" if choice.key == LR else choice.key


def _tuned(c: Comparison) -> str:
    """`each at its best lr of 0.0003, 0.001 (tuned on seeds 0, 1): relu 0.001 (edge of the tried range), ...`."""
    first, *_ = c.choices.values()
    common = all(choice.tried == first.tried for choice in c.choices.values())
    of = f" of {show(first.tried)}" if common else ""
    sides = [_side(name, choice, tell_tried=not common) for name, choice in c.choices.items()]
    return f"each at its {_best(c, first)}{of} (tuned on seeds {show(first.seeds)}): {', '.join(sides)}"


def _side(name: str, choice: Choice, *, tell_tried: bool) -> str:
    notes = [f"of {show(choice.tried)}"] if tell_tried else []
    notes += ["edge of the tried range"] if choice.at_edge else []
    notes += [f"{show([value])} {why}" for value, why in choice.disqualified]
    value = show([choice.value]) if choice.found else "none"
    return f"{name} {value} ({'; '.join(notes)})" if notes else f"{name} {value}"
