"""The scalars of many events at once: a table for each run of events that hold the same tags.

A writer logs the same tags again and again, so most events of a file differ in their time, step and values alone. Those
of one layout are found by comparing bytes, and what differs is read where the first of them has its own, by NumPy: four
times as fast as asking protobuf for every value.

Shape letters: S events, K tags, B bytes, D bytes of a step.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary

_TIME, _STEP, _SUMMARY = 0x09, 0x10, 0x2A  # the bytes that begin these fields of an event
_DOUBLE, _FLOAT = 8, 4  # bytes
_MORE, _DIGITS = 0x80, 0x7F  # of a byte of a whole number: whether another follows, and seven binary digits


@dataclass(frozen=True)
class ScalarTable:
    """Events that hold the same scalars, by step; those of one step as they were written.

    Attributes:
        tags: K names, in the order of the events.
        order: the position of each event among all, shape (S,).
        steps: int64 of shape (S,).
        values: float64 of shape (K, S).
    """

    tags: Sequence[str]
    order: np.ndarray
    steps: np.ndarray
    values: np.ndarray


@dataclass(frozen=True)
class _Layout:
    """Where the bytes of an event's step, shape (D,), and of the value of each tag, shape (K, 4), are in it.

    `fixed` tells which bytes are the same in every event of the layout, shape (B,).
    """

    tags: Sequence[str]
    step: np.ndarray
    values: np.ndarray
    fixed: np.ndarray


def scalar_tables(events: Iterable[bytes]) -> list[ScalarTable]:
    """Every scalar of these serialised events, the tables by their first events; what is no scalar is left out."""
    by_length: dict[int, list[tuple[int, bytes]]] = {}
    for position, event in enumerate(events):
        by_length.setdefault(len(event), []).append((position, event))
    tables = [table for found in by_length.values() for table in _tables(found)]
    return sorted(tables, key=lambda table: table.order.min())


def _tables(found: list[tuple[int, bytes]]) -> list[ScalarTable]:
    """Those of events, given by position, that have the same length."""
    positions, events = zip(*found, strict=True)
    order = np.array(positions)
    rows_SB = np.frombuffer(b"".join(events), np.uint8).reshape(len(found), -1)
    left = np.arange(len(found))
    tables = []
    while len(left):
        event, first = Event.FromString(events[left[0]]), left[0]
        if not any(map(_is_scalar, event.summary.value)):
            left = left[1:]
        elif (layout := _layout(event, events[first])) is None:
            tables.append(_one_by_one(event, order[first]))
            left = left[1:]
        else:
            alike = _alike(rows_SB[left], layout)
            chosen, left = left[alike], left[~alike]
            tables.append(_table(rows_SB[chosen], order[chosen], layout))
    return tables


def _one_by_one(event: Event, position: int) -> ScalarTable:
    """Of an event of whatever form, as protobuf says."""
    found = [value for value in event.summary.value if _is_scalar(value)]
    values_K1 = np.array([[value.simple_value] for value in found])
    return ScalarTable([value.tag for value in found], np.array([position]), np.array([event.step]), values_K1)


def _alike(rows_SB: np.ndarray, layout: _Layout) -> np.ndarray:
    """Which events have the layout of the first, bool of shape (S,)."""
    steps_SD = rows_SB[:, layout.step] & _MORE  # as many bytes as that of the first
    fixed_SB = rows_SB[:, layout.fixed]
    alike: np.ndarray = (fixed_SB == fixed_SB[0]).all(axis=1) & (steps_SD == steps_SD[0]).all(axis=1)
    return alike


def _table(rows_SB: np.ndarray, order: np.ndarray, layout: _Layout) -> ScalarTable:
    """Of events of one layout."""
    bytes_KS4 = np.ascontiguousarray(rows_SB[:, layout.values].swapaxes(0, 1))
    values_KS = bytes_KS4.view("<f4")[..., 0].astype(np.float64)
    steps_S = _whole_numbers(rows_SB[:, layout.step])
    by_step = np.argsort(steps_S, kind="stable")
    return ScalarTable(layout.tags, order[by_step], steps_S[by_step], np.take(values_KS, by_step, axis=1))


def _layout(event: Event, serialised: bytes) -> _Layout | None:
    """Of an event written as protobuf's own writers do: time, step and summary; None of any other."""
    time = 1 + _DOUBLE if serialised[:1] == bytes([_TIME]) else 0
    digits = 0
    if serialised[time : time + 1] == bytes([_STEP]):
        digits = next(count for count, byte in enumerate(serialised[time + 1 :], 1) if byte < _MORE)
    start = time + (1 + digits if digits else 0)
    summary = event.summary.SerializeToString()
    begin = len(serialised) - len(summary)
    if serialised[start : start + 1] != bytes([_SUMMARY]) or begin != start + 1 + _digits(len(summary)):
        return None
    if serialised[begin:] != summary:
        return None
    tags, places = [], []
    for value in event.summary.value:
        size = value.ByteSize()
        begin += 1 + _digits(size)
        if _is_scalar(value):
            named = len(value.tag.encode())
            tags.append(value.tag)
            places.append(begin + (1 + _digits(named) + named if named else 0) + 1)  # a byte says what follows
        begin += size
    step_D = np.arange(start - digits, start)
    values_K4 = np.add.outer(np.array(places, np.int64), np.arange(_FLOAT))
    fixed_B = np.ones(len(serialised), bool)
    fixed_B[1 : max(time, 1)] = fixed_B[step_D] = fixed_B[values_K4] = False
    return _Layout(tags, step_D, values_K4, fixed_B)


def _is_scalar(value: Summary.Value) -> bool:
    found: bool = value.HasField("simple_value")
    return found


def _digits(number: int) -> int:
    """The bytes of a whole number."""
    return max(1, -(-number.bit_length() // 7))


def _whole_numbers(bytes_SD: np.ndarray) -> np.ndarray:
    """What these bytes say, the lowest first, as int64 of shape (S,); 0 without any."""
    found_S = np.zeros(len(bytes_SD), np.uint64)
    for place, byte_S in enumerate(bytes_SD.T):
        found_S |= (byte_S & _DIGITS).astype(np.uint64) << np.uint64(7 * place)
    return found_S.view(np.int64)
