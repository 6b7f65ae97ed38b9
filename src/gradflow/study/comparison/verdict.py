"""What one comparison says, in words: the plain sentence first, then the evidence."""

import math

from gradflow.runs.words import activation_words, blocks_words, setting_words
from gradflow.study.comparison.claims import NORM, Comparison, Gap, Strength
from gradflow.study.comparison.evidence import all_equal
from gradflow.study.comparison.rates import nothing_left, rate
from gradflow.study.comparison.tuning import show

_MOST_DECIMALS = 6  # more are shown as a power of ten
_MOST_DECADES = 300.0  # of a factor that is shown


def verdict(comparison: Comparison) -> str:
    """`ReLU scores higher than sigmoid at 4 blocks: shown (...)`, the missing runs, the learning rate."""
    c = comparison
    place = ", ".join(part for part in (at(c), norm_words(c)) if part)
    where = f" {place}" if place else ""
    if c.claimed:
        plain = f"{relation(c)}{where}: {c.strength}"
        evidence = [estimate(c), *([_seen_apart(c)] if c.skewed else []), _tested(c)]
        return f"{plain} ({'; '.join(evidence)}){_left_out(c)}, {rate(c)}"
    return f"{f'{place}: ' if place else ''}open {question(c)}: {why_open(c)}{_left_out(c)}, {rate(c)}"


def relation(c: Comparison) -> str:
    """`ReLU scores higher than sigmoid`, `ReLU has a lower test loss than sigmoid`."""
    ahead, behind = activation_words(c.ahead), activation_words(c.behind)
    if c.better == "higher":
        return f"{ahead} scores higher than {behind}"
    return f"{ahead} has a {c.better or 'higher'} {c.words} than {behind}"


def question(c: Comparison) -> str:
    """`whether ReLU or sigmoid scores higher`."""
    pair = f"{activation_words(c.baseline)} or {activation_words(c.activation)}"
    if c.better == "higher":
        return f"whether {pair} scores higher"
    return f"whether {pair} has the {c.better or 'higher'} {c.words}"


def why_open(c: Comparison) -> str:
    """`too few seeds, 2 of the 8 that 5 comparisons need`."""
    if c.gap is Gap.TOO_FEW:
        need = f"{c.family} comparisons need" if c.family > 1 else "1 comparison needs"
        return f"too few seeds, {c.n} of the {c.needed} that {need} ({_observed(c)})"
    if c.gap is Gap.NO_DIFFERENCE:
        evidence = [_observed(c), *([_seen_apart(c)] if c.skewed else []), _tested(c)]
        return f"no difference shown ({'; '.join(evidence)})"
    if c.gap is Gap.DIVERGED:
        return f"a seed diverged ({'; '.join(f'{activation_words(name)}, seed {seed}' for name, seed in c.diverged)})"
    if c.gap is Gap.NO_CHOICE:
        return nothing_left(c)
    return f"{activation_words(c.baseline)} was not run there" if c.gap is Gap.NO_BASELINE else "no seed in common"


def at(c: Comparison) -> str:
    """`at 4 blocks, learning rate 0.01`; the normalisation is named apart."""
    blocks = c.group.get("blocks")
    depth = [] if blocks is None else [blocks_words(blocks)]
    apart = ("blocks", NORM) if c.norm else ("blocks",)
    others = [setting_words(f"{axis}={value}") for axis, value in c.group.items() if axis not in apart]
    parts = [*depth, *others]
    stands_alone = parts and parts[0].startswith(("with ", "without "))
    return f"{'' if stands_alone else 'at '}{', '.join(parts)}" if parts else ""


def norm_words(c: Comparison) -> str:
    """`with batch normalisation`, where the study has several normalisations."""
    if c.norm is None:
        return ""
    words = setting_words(f"{NORM}={c.norm}")
    return words if words.startswith("with") else f"with {words}"


def estimate(c: Comparison) -> str:
    """`by 0.031 [0.021, 0.041] on average over 8 seeds`, to two digits of the interval's half width."""
    assert c.differences is not None
    mean, (low, high) = abs(c.differences.mean), sorted(c.sign * b for b in (c.differences.low, c.differences.high))
    if c.n == 1 or all_equal(c.differences.values, rounding=c.rounding):
        size = _size(c, mean, mean) if c.in_decades else f"{mean:.3g}"
        return f"by {size} in {'each of ' if c.n > 1 else ''}{_seeds(c)}"
    half = (high - low) / 2
    return f"by {_size(c, mean, half)} [{_number(c, low, half)}, {_number(c, high, half)}] on average over {_seeds(c)}"


def _seeds(c: Comparison) -> str:
    return f"{c.n} seed{'' if c.n == 1 else 's'}"


def _observed(c: Comparison) -> str:
    assert c.differences is not None
    if abs(c.differences.mean) <= c.rounding:
        return f"no difference on average over {_seeds(c)}"
    return f"{activation_words(c.ahead)} is {'ahead' if c.better else 'higher'} {estimate(c)}"


def _size(c: Comparison, value: float, scale: float) -> str:
    return f"a factor of {_number(c, value, scale)}" if c.in_decades else _number(c, value, scale)


def _number(c: Comparison, value: float, scale: float) -> str:
    """To two digits of `scale`, none of them made up by rounding; a difference in decades as a factor."""
    if c.in_decades:
        return f"{10.0 ** min(value, _MOST_DECADES):.3g}"
    finest = max(scale / 10, c.rounding)
    decimals = max(0, -math.floor(math.log10(finest))) if finest > 0 else 0
    if decimals > _MOST_DECIMALS:
        return f"{value:.1e}"
    return f"{round(value, decimals) + 0.0:.{decimals}f}"  # no -0.0


def _seen_apart(c: Comparison) -> str:
    """What stands beside the mean where it describes the differences badly."""
    assert c.median is not None
    assert c.improvement is not None
    median = c.sign * c.median
    share = c.improvement if c.sign > 0 else 1 - c.improvement
    better = "probability of improvement" if c.better else "share of seeds with the higher value"
    size = _size(c, median, abs(median))
    return f"skewed: the median is {size}, the {better} {share:.2f}"


def _tested(c: Comparison) -> str:
    """The test behind the verdict, and what it tests."""
    if c.strength is Strength.SUGGESTED:
        assumed = "although it assumes" if c.skewed else "which assumes"
        return f"paired t test p = {c.t:.2g}, Holm {c.t_holm:.2g}, {assumed} roughly normal differences"
    tested = ", of symmetry about 0 rather than of the mean" if c.skewed else ""
    return f"sign flip p = {c.p:.2g}, Holm {c.holm:.2g}{tested}"


def _left_out(c: Comparison) -> str:
    """`; left out: sigmoid seeds 3, 4 (failed)`."""
    seeds: dict[tuple[str, str], list[int]] = {}
    for name, seed, why in c.left_out:
        seeds.setdefault((name, why), []).append(seed)
    runs = ", ".join(
        f"{activation_words(name)} seed{'' if len(missing) == 1 else 's'} {show(missing)} ({why})"
        for (name, why), missing in seeds.items()
    )
    return f"; left out: {runs}" if runs else ""
