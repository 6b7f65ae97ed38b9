"""On which axis of a tensor the units lie: a layer says so, and the operations after it carry it along.

The rules of single operations stand in `axis_rules`. Whatever no rule covers keeps the axis if it keeps the number of
axes and that of units, as elementwise functions, normalisation, dropout and pooling do.
"""

import weakref
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from torch import Tensor

from gradflow.measure.axis_calls import Call, Lost, Place, combined
from gradflow.measure.axis_rules import RULES


class UnitAxes:
    """The places of units in the tensors that live at the moment; it keeps none of them alive."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[weakref.ref[Tensor], Place | Lost]] = {}

    def of(self, tensor: Tensor) -> Place | Lost | None:
        """Where its units lie, or why nobody knows; None if it comes from no layer."""
        reference, place = self._known.get(id(tensor), (None, None))
        return place if reference is not None and reference() is tensor else None

    def put(self, tensor: Tensor, place: Place | Lost | None) -> None:
        """Say where a tensor's units lie."""
        if place is None:
            self._known.pop(id(tensor), None)
        else:
            self._known[id(tensor)] = weakref.ref(tensor), place

    def forget_the_dead(self) -> None:
        """Drop what is known of tensors that are gone."""
        self._known = {key: entry for key, entry in self._known.items() if entry[0]() is not None}

    def before(self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Call:
        """An operation that is about to run, which may overwrite or reshape what it is given.

        Args:
            name: of the operation, without the underscore of the variant that works in place.
            args: its positional arguments.
            kwargs: its keyword arguments.
        """
        tensors = list(_tensors((*args, *kwargs.values())))
        return Call(name, args, kwargs, tensors, [self.of(one) for one in tensors])

    def after(self, call: Call, result: Any) -> None:
        """Work out where the units of an operation's results lie."""
        rule = RULES.get(call.name, combined)
        for index, output in enumerate(_tensors(result if isinstance(result, (tuple, list)) else (result,))):
            axis = rule(call, output) if index == 0 or call.name != "multi_head_attention_forward" else None
            self.put(output, axis if axis is None or isinstance(axis, Lost) else Place(axis, tuple(output.shape)))


def _tensors(values: Sequence[Any]) -> Iterator[Tensor]:
    """The tensors among values, those in lists and tuples too."""
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, (tuple, list)):
            yield from _tensors(value)
