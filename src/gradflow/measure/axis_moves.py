"""Where the units go when an operation moves, merges, cuts, joins or removes axes."""

import math
from collections.abc import Callable, Sequence

from torch import Tensor

from gradflow.measure.axis_calls import Axis, Call, Lost, Place, Rule, combined


def moving(axes: Callable[[Call, int], Sequence[int]]) -> Rule:
    """An operation that only changes the order of axes: `axes(call, dims)` are the old ones in their new order."""

    def rule(call: Call, output: Tensor) -> Axis:
        place = call.places[0]
        if not isinstance(place, Place):
            return place
        return [axis % output.dim() for axis in axes(call, output.dim())].index(place.axis)

    return rule


def permuted(call: Call, dims: int) -> Sequence[int]:
    order = call.argument(1, "dims")
    return order if isinstance(order, Sequence) else call.args[1:]


def swapped(call: Call, dims: int) -> Sequence[int]:
    first = call.argument(1, "dim0", "axis0") % dims
    second = call.argument(2, "dim1", "axis1") % dims
    order = list(range(dims))
    order[first], order[second] = second, first
    return order


def moved(call: Call, dims: int) -> Sequence[int]:
    pairs = [call.argument(1, "source"), call.argument(2, "destination")]
    sources, targets = ([one % dims for one in ([n] if isinstance(n, int) else n)] for n in pairs)
    order = [axis for axis in range(dims) if axis not in sources]
    for target, source in sorted(zip(targets, sources, strict=True)):
        order.insert(target, source)
    return order


def last_two_swapped(call: Call, dims: int) -> Sequence[int]:
    return [*range(dims - 2), dims - 1, dims - 2] if dims > 1 else range(dims)


def reversed_order(call: Call, dims: int) -> Sequence[int]:
    return range(dims)[::-1]


def reshaped(call: Call, output: Tensor) -> Axis:
    """The axis with as many entries before it as there were, and as many units."""
    place = call.places[0]
    if not isinstance(place, Place):
        return place
    before, units = math.prod(place.shape[: place.axis]), place.shape[place.axis]
    for axis, size in enumerate(output.shape):
        if size == units and math.prod(output.shape[:axis]) == before:
            return axis
    return Lost(f"`{call.name}` merges or splits the axis of the units")


def expanded(call: Call, output: Tensor) -> Axis:
    """New axes come first."""
    place = call.places[0]
    if not isinstance(place, Place):
        return place
    axis = output.dim() + place.from_end
    same = output.shape[axis] == place.shape[place.axis]
    return axis if same else None if place.shape[place.axis] == 1 else Lost(f"`{call.name}` repeats units")


def joined(call: Call, output: Tensor) -> Axis:
    """`cat`, along the units too."""
    known = [place for place in call.places if place is not None]
    lost = next((place for place in known if isinstance(place, Lost)), None)
    axes = {place.axis for place in known if isinstance(place, Place)}
    if lost is not None or not axes:
        return lost
    return axes.pop() if len(axes) == 1 else Lost(f"`{call.name}` joins tensors whose units lie on different axes")


def stacked(call: Call, output: Tensor) -> Axis:
    axis = joined(call, output)
    new = call.argument(1, "dim", default=0) % output.dim()
    return axis + (axis >= new) if isinstance(axis, int) else axis


def reduced(call: Call, output: Tensor) -> Axis:
    """`mean`, `sum`, `amax`, ...; without its units a tensor spreads over those of others, as a constant does."""
    place, dim = call.places[0], call.argument(2 if "norm" in call.name else 1, "dim", "axis")
    if isinstance(dim, Tensor):  # the larger of two
        return combined(call, output)
    if not isinstance(place, Place):
        return place
    if dim is None or isinstance(dim, bool):  # of everything; a bool is `unbiased`
        return None
    dims = {one % len(place.shape) for one in ([dim] if isinstance(dim, int) else dim)}
    if output.dim() == len(place.shape):  # keepdim
        return place.axis
    return None if place.axis in dims else place.axis - sum(one < place.axis for one in dims)


def selected(call: Call, output: Tensor) -> Axis:
    """One index along an axis, which goes."""
    place, dim = call.places[0], call.argument(1, "dim", default=0)
    if not isinstance(place, Place):
        return place
    dim %= len(place.shape)
    return None if dim == place.axis else place.axis - (dim < place.axis)


def cut_or_padded(call: Call, output: Tensor) -> Axis:
    """Fewer or more along some axis, of the units too."""
    place = call.places[0]
    return place.axis if isinstance(place, Place) else place


def indexed(call: Call, output: Tensor) -> Axis:
    """`x[...]`: slices keep axes, whole numbers remove and None adds them."""
    place, index = call.places[0], call.args[1]
    if not isinstance(place, Place):
        return place
    items = list(index) if isinstance(index, tuple) else [index]
    if not all(item is None or item is Ellipsis or isinstance(item, (int, slice)) for item in items):
        return combined(call, output)
    taken = sum(item is not None and item is not Ellipsis for item in items)
    if Ellipsis not in items:
        items.append(Ellipsis)
    where = items.index(Ellipsis)
    items[where : where + 1] = [slice(None)] * (len(place.shape) - taken)
    old, new = 0, 0
    for item in items:
        if item is None:
            new += 1
            continue
        if old == place.axis:
            return new if isinstance(item, slice) else None
        old += 1
        new += isinstance(item, slice)
    return None
