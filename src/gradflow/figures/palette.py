"""Colours that mean the same in every figure, distinct for red-green colour-blind readers, on white and on black.

After Okabe & Ito 2008, Color Universal Design; their yellow, sky blue and black are darkened or left out, because
figures are read on white and on dark pages.
"""

from collections.abc import Sequence

_COLOURS = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#c65f9b",
    "#b98a00",
    "#3f9fdc",
    "#7a5fc7",
    "#8a8a8a",
    "#a0522d",
    "#6b8e23",
)
# These keep their colours from study to study; other activations take the remaining ones.
_FIXED = {"relu": 0, "sigmoid": 1, "tanh": 2, "gelu": 3, "leaky_relu": 4, "silu": 5, "elu": 6, "identity": 7}
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
DASHES: tuple[tuple[int, ...], ...] = (
    (1, 0),
    (7, 3),
    (2, 2),
    (9, 3, 2, 3),
    (5, 5),
    (12, 3),
    (9, 3, 2, 3, 2, 3),
    (1, 4),
)
_DEPTH_STOPS = ("#d99a1c", "#4fa95a", "#1f93a8", "#4672c8", "#9350c0")  # shallow to deep
HEAT = ("rgba(192, 42, 139, 0.04)", "rgba(192, 42, 139, 1)")  # none to most: clear on white and on black


def activation_colours(activations: Sequence[str]) -> dict[str, str]:
    """Activation -> colour; with more activations than colours, some share one and differ by their marks."""
    return {name: _COLOURS[slot % len(_COLOURS)] for name, slot in _slots(activations).items()}


def activation_shapes(activations: Sequence[str]) -> dict[str, str]:
    """Activation -> shape of its marks, so that nothing depends on colour alone."""
    slots = _slots(activations)
    return {name: _SHAPES[(slot + slot // len(_COLOURS)) % len(_SHAPES)] for name, slot in slots.items()}


def activation_dashes(activations: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """Activation -> dashes of its lines, so that lines without marks differ in more than colour."""
    return {name: DASHES[slot % len(DASHES)] for name, slot in _slots(activations).items()}


def depth_colours(depths: Sequence[str]) -> dict[str, str]:
    """Depth -> colour, from light amber for the shallowest to violet for the deepest."""
    last = max(len(depths) - 1, 1)
    return {depth: _between(i / last) for i, depth in enumerate(depths)}


def _slots(activations: Sequence[str]) -> dict[str, int]:
    """A number for each activation: its fixed one, else the lowest free one."""
    slots = {name: _FIXED[name] for name in activations if name in _FIXED}
    free = (slot for slot in range(len(activations) + len(_FIXED)) if slot not in slots.values())
    return {name: slots[name] if name in slots else next(free) for name in activations}


def _between(position: float) -> str:
    """Linear between the two nearest stops; position in [0, 1]."""
    place = position * (len(_DEPTH_STOPS) - 1)
    left = min(int(place), len(_DEPTH_STOPS) - 2)
    one, two = (_channels(stop) for stop in _DEPTH_STOPS[left : left + 2])
    mixed = (round(a + (b - a) * (place - left)) for a, b in zip(one, two, strict=True))
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def _channels(colour: str) -> list[int]:
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
