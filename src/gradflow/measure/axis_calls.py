"""What is known of an operation when it is asked where the units of its result lie, and the answer of most of them.

The answer is an axis, nowhere (None), or `Lost`, with the reason. Nowhere: a result that has no units of its own, such
as attention's scores or a mean over units, spreads over the units of whatever it is combined with, as a constant does.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from torch import Tensor


class Place(NamedTuple):
    """The axis of the units in a tensor of this shape."""

    axis: int
    shape: tuple[int, ...]

    @property
    def from_end(self) -> int:
        """The axis counted from the end, -1 the last: that is how broadcasting lines tensors up."""
        return self.axis - len(self.shape)


class Lost(NamedTuple):
    """Why nobody knows where the units are."""

    why: str


class Call(NamedTuple):
    """One operation, with the tensors that it was given and where their units lay before it ran."""

    name: str
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    tensors: Sequence[Tensor]
    places: Sequence[Place | Lost | None]

    def argument(self, index: int, *names: str, default: Any = None) -> Any:
        """A positional argument that may have been given by name."""
        if len(self.args) > index:
            return self.args[index]
        return next((self.kwargs[name] for name in names if name in self.kwargs), default)


Axis = int | Lost | None
Rule = Callable[[Call, Tensor], Axis]


def combined(call: Call, output: Tensor) -> Axis:
    """The common axis of all tensors that go in, if the output has as many axes, and as many units on that axis."""
    known = [place for place in call.places if place is not None]
    lost = next((place for place in known if isinstance(place, Lost)), None)
    places = [place for place in known if isinstance(place, Place)]
    if lost is not None or not places:
        return lost
    ends = {place.from_end for place in places}
    if len(ends) > 1:
        return Lost(f"`{call.name}` combines tensors whose units lie on different axes")
    axis = output.dim() + ends.pop()
    sizes = {place.shape[place.axis] for place in places}
    same_form = output.dim() == max(tensor.dim() for tensor in call.tensors) and axis >= 0
    # One unit may have been spread over several of a constant's.
    if not same_form or not (output.shape[axis] in sizes or sizes == {1}):
        return Lost(f"`{call.name}` changes the tensor's form")
    return axis
