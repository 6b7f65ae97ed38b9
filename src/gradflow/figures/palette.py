"""Colours, shapes and dashes that mean the same in every figure.

The colours were found by a search for sets that any reader can tell apart, on a white page and on a dark one: the ten
of the activations, and the eight of the depths, differ from one another by at least 12 (CIEDE2000) in normal vision,
deuteranopia and protanopia (Machado et al. 2009), and stand out from #ffffff and from #14171b by at least 3 : 1. That
leaves a narrow range of lightness, in which the search found no room for twelve. Activations beyond the tenth, and
depths between the eight, differ from those with a colour like theirs in the shape of their marks and their dashes.
"""

from collections.abc import Sequence

_COLOURS = (
    "#44749a",
    "#dd6504",
    "#31a660",
    "#ba1c77",
    "#987cff",
    "#35a0b5",
    "#c80c0a",
    "#66664b",
    "#4344ff",
    "#a08c8e",
)
# These keep their colours from study to study; other activations take the remaining ones.
_FIXED = {"relu": 0, "sigmoid": 1, "tanh": 2, "gelu": 3, "leaky_relu": 4, "silu": 5, "elu": 6, "identity": 7}
_DEPTHS = ("#c5881b", "#6f7839", "#4ca66d", "#049480", "#4295a9", "#1a95f0", "#2b6ad4", "#81548b")  # shallow to deep
MARK_PATHS = {  # shapes of Vega as SVG paths about the origin, for the legend
    "circle": "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0Z",
    "square": "M-4.5 -4.5H4.5V4.5H-4.5Z",
    "triangle-up": "M0 -5L5.5 4.5H-5.5Z",
    "diamond": "M0 -6L5 0L0 6L-5 0Z",
    "triangle-down": "M0 5L5.5 -4.5H-5.5Z",
    "cross": "M-2 -5.5H2V-2H5.5V2H2V5.5H-2V2H-5.5V-2H-2Z",
    "triangle-right": "M5 0L-4.5 5.5V-5.5Z",
    "triangle-left": "M-5 0L4.5 5.5V-5.5Z",
}
_SHAPES = tuple(MARK_PATHS)
_DASHES: tuple[tuple[int, ...], ...] = (  # lengths of strokes and gaps in pixels
    (1, 0),
    (7, 3),
    (2, 2),
    (9, 3, 2, 3),
    (5, 5),
    (12, 3),
    (9, 3, 2, 3, 2, 3),
)
# From none to most, clear on white and on black.
ALARM = ("rgba(192, 42, 139, 0.04)", "rgba(192, 42, 139, 1)")
NEUTRAL = ("rgba(110, 119, 129, 0.05)", "rgba(110, 119, 129, 1)")


def activation_colours(activations: Sequence[str]) -> dict[str, str]:
    """Activation -> colour; with more activations than colours, some share one and differ in shape and dashes."""
    return {name: _COLOURS[slot % len(_COLOURS)] for name, slot in _slots(activations).items()}


def activation_shapes(activations: Sequence[str]) -> dict[str, str]:
    """Activation -> shape of its marks, so that nothing depends on colour alone."""
    return {name: _SHAPES[_shifted(slot) % len(_SHAPES)] for name, slot in _slots(activations).items()}


def activation_dashes(activations: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """Activation -> dashes of its lines, so that lines without marks differ in more than colour."""
    return {name: _DASHES[_shifted(slot) % len(_DASHES)] for name, slot in _slots(activations).items()}


def depth_colours(depths: Sequence[str]) -> dict[str, str]:
    """Depth -> colour, from amber for the shallowest to violet for the deepest."""
    last = max(len(depths) - 1, 1)
    if len(depths) > len(_DEPTHS):
        return {depth: _between(i / last) for i, depth in enumerate(depths)}
    return {depth: _DEPTHS[round(i / last * (len(_DEPTHS) - 1))] for i, depth in enumerate(depths)}


def depth_shapes(depths: Sequence[str]) -> dict[str, str]:
    """Depth -> shape of its marks: neighbours differ."""
    return {depth: _SHAPES[i % len(_SHAPES)] for i, depth in enumerate(depths)}


def depth_dashes(depths: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """Depth -> dashes of its lines: neighbours differ."""
    return {depth: _DASHES[i % 2] for i, depth in enumerate(depths)}


def _slots(activations: Sequence[str]) -> dict[str, int]:
    """A number for each activation: its fixed one, else the lowest free one."""
    slots = {name: _FIXED[name] for name in activations if name in _FIXED}
    free = (slot for slot in range(len(activations) + len(_FIXED)) if slot not in slots.values())
    return {name: slots[name] if name in slots else next(free) for name in activations}


def _shifted(slot: int) -> int:
    """Another shape and other dashes in each round of the colours."""
    return slot + slot // len(_COLOURS)


def _between(position: float) -> str:
    """Linear between the two nearest depths with a colour of their own; position in [0, 1]."""
    place = position * (len(_DEPTHS) - 1)
    left = min(int(place), len(_DEPTHS) - 2)
    one, two = (_channels(stop) for stop in _DEPTHS[left : left + 2])
    mixed = (round(a + (b - a) * (place - left)) for a, b in zip(one, two, strict=True))
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def _channels(colour: str) -> list[int]:
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
