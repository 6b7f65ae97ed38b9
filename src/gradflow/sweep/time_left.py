"""How long a run is going to take, from those that are known: of its own configuration, or else by its depth."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np


@dataclass(frozen=True)
class Pace:
    """The measured seconds per epoch of a run.

    Attributes:
        config: its configuration.
        blocks: its depth; None where a network has none.
    """

    config: str
    blocks: int | None
    seconds: float


class Paces:
    """Expected seconds per epoch.

    A configuration that is not measured takes the least-squares line over the depths that are or, where only one depth
    is, a time in proportion to its blocks and one more layer.

    Args:
        measured: of runs that are alike but for what the sweep varies.
    """

    def __init__(self, measured: Iterable[Pace]) -> None:
        paces = list(measured)
        self._by_config: dict[str, list[float]] = {}
        for pace in paces:
            self._by_config.setdefault(pace.config, []).append(pace.seconds)
        self._line = _line(paces)

    def of(self, config: str, blocks: int | None) -> float:
        """The mean of its own configuration, or what its depth lets one expect; without any measurement, layers."""
        if config in self._by_config:
            return fmean(self._by_config[config])
        base, each = self._line
        return base + each * (blocks or 0)


def _line(paces: Sequence[Pace]) -> tuple[float, float]:
    """Seconds without blocks, and for each block."""
    if not paces:
        return 1.0, 1.0
    depths = np.array([pace.blocks or 0 for pace in paces], float)
    seconds = np.array([pace.seconds for pace in paces])
    if len(set(depths)) > 1:
        each, base = np.polyfit(depths, seconds, 1)
        if each > 0 and base > 0:
            return float(base), float(each)
        if each <= 0:
            return float(seconds.mean()), 0.0
    share = float(seconds.sum() / (depths + 1).sum())
    return share, share


def in_words(seconds: float) -> str:
    """`about 40 s left`, `about 12 min left`, `about 3 h 20 min left`."""
    minutes = seconds / 60
    if seconds < 10:
        return "a few seconds left"
    if seconds < 55:
        return f"about {10 * round(seconds / 10):d} s left"
    if minutes < 59.5:
        return f"about {max(1, round(minutes))} min left"
    hours, rest = divmod(round(minutes / 10) * 10, 60)
    return f"about {hours} h {rest} min left" if rest else f"about {hours} h left"
