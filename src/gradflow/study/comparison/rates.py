"""The learning rate at which a verdict holds, or how it and other keys were chosen, in words."""

from collections.abc import Sequence

from gradflow.runs.words import activation_words
from gradflow.study.comparison.claims import Comparison
from gradflow.study.comparison.tuning import LR, Choice, show


def rate(comparison: Comparison) -> str:
    """`at lr = 0.001, untuned`; for a tuned study, what was chosen for either side."""
    parts = []
    if comparison.choices:
        parts.append(_tuned(comparison))
    if _tuned_key(comparison) != LR:
        lrs = comparison.lrs
        if len(set(lrs.values())) > 1:
            sides = ", ".join(f"{_lr(lr)} ({activation_words(name)})" for name, lr in lrs.items())
            parts.append(f"at lr = {sides}, untuned")
        else:
            lr = next(iter(lrs.values()), None)
            parts.append("untuned" if lr is None else f"at lr = {lr:g}, untuned")
    return ", ".join(parts)


def common_rate(comparisons: Sequence[Comparison]) -> str:
    """The same for all comparisons of a study together."""
    rates = list(dict.fromkeys(rate(c) for c in comparisons))
    if len(rates) == 1:
        return rates[0]
    chosen = {str(dict(choice.axes)): choice for c in comparisons for choice in c.choices.values()}
    if not chosen:
        return "each at its own lr, untuned"
    first, *_ = chosen.values()
    edges = sum(choice.at_edge for choice in chosen.values())
    note = f"; {edges} of {len(chosen)} at the edge of the tried range" if edges else ""
    untuned = "" if first.key == LR else ", lr untuned"
    return f"each at its best {_key(first)} (tuned on seeds {show(first.seeds)}{note}){untuned}"


def nothing_left(comparison: Comparison) -> str:
    """`no value of optimizer.lr is left for sigmoid`."""
    nameless = " and ".join(activation_words(name) for name, choice in comparison.choices.items() if not choice.found)
    return f"no value of {_tuned_key(comparison)} is left for {nameless}"


def _lr(value: float | None) -> str:
    return "an unrecorded value" if value is None else f"{value:g}"


def _tuned_key(c: Comparison) -> str | None:
    return next((choice.key for choice in c.choices.values()), None)


def _key(choice: Choice) -> str:
    return "lr" if choice.key == LR else choice.key


def _tuned(c: Comparison) -> str:
    """`each at its best lr of 0.0003, 0.001 (tuned on seeds 0, 1): relu 0.001 (edge of the tried range), ...`."""
    first, *_ = c.choices.values()
    common = all(choice.tried == first.tried for choice in c.choices.values())
    of = f" of {show(first.tried)}" if common else ""
    sides = [_side(name, choice, tell_tried=not common) for name, choice in c.choices.items()]
    return f"each at its best {_key(first)}{of} (tuned on seeds {show(first.seeds)}): {', '.join(sides)}"


def _side(name: str, choice: Choice, *, tell_tried: bool) -> str:
    notes = [f"of {show(choice.tried)}"] if tell_tried else []
    notes += ["edge of the tried range"] if choice.at_edge else []
    notes += [f"{show([value])} {why}" for value, why in choice.disqualified]
    value = show([choice.value]) if choice.found else "none"
    who = activation_words(name)
    return f"{who} {value} ({'; '.join(notes)})" if notes else f"{who} {value}"
