"""TensorBoard's event files: write scalars and summaries, read a run's scalars back even while it is being written.

TensorBoard's own classes compute checksums in Python. Its writer takes 55 microseconds for a row of twelve scalars, an
eighth of a training step of a small network; here a row takes 6, about one per cent of a step. Its EventAccumulator
takes 80 ms for a run of 10,000 values, over a minute for a study of 1,000 runs; here it takes 2 ms, half of them for
checksums.
"""

import errno
import functools
import itertools
import os
import socket
import struct
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import google_crc32c
import numpy as np
from tensorboard.compat.proto.event_pb2 import Event

from gradflow.errors import ConfigError
from gradflow.runs import durable, folders, version_1
from gradflow.runs.gradient_gain import gain_per_layer
from gradflow.runs.record import read_record
from gradflow.runs.scalar_tables import ScalarTable, scalar_tables

FLOAT32_MAX = float(np.finfo(np.float32).max)  # events hold scalars in float32
_LENGTH, _CHECKSUM = struct.Struct("<Q"), struct.Struct("<I")
_HEAD, _TAIL = _LENGTH.size + _CHECKSUM.size, _CHECKSUM.size  # bytes of a TFRecord before and after its data
_numbers = itertools.count()  # tell the event files of a process apart


class EventFile:
    """A new event file, created by its first `write`; a reader sees all events written so far.

    Args:
        folder: where it goes; created if need be.
    """

    def __init__(self, folder: Path) -> None:
        name = f"{int(time.time())}.{socket.gethostname()}.{os.getpid()}.{next(_numbers)}"
        self._path = folder / folders.EVENT_FILES.replace("*", name)
        self._size = 0

    def write(self, events: Iterable[Event]) -> None:
        """Append events in order.

        Raises:
            CannotWrite: if the system cannot write them, or somebody has removed or changed the file meanwhile.
        """
        start = [Event(wall_time=time.time(), file_version="brain.Event:2")] if self._size == 0 else []
        left = memoryview(b"".join(map(_record, (*start, *events))))
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with durable.naming(self._path), self._path.open("ab", buffering=0) as file:
            if file.tell() != self._size:
                raise OSError(errno.ESTALE, f"it has {file.tell():,} of the {self._size:,} bytes written so far")
            try:
                while left:
                    left = left[file.write(left) :]
                self._size = file.tell()
            except BaseException:  # a full disk, a signal: what is written next must follow a whole record
                file.truncate(self._size)
                raise


def scalar_events(
    tags: Sequence[str], steps: Iterable[int], values_SK: Iterable[Iterable[float]], times: Iterable[float]
) -> Iterator[Event]:
    """One event per row of a table; values that are not finite, or too large for float32, are left out.

    Args:
        tags: K names.
        steps: at least 0, shape (S,).
        values_SK: shape (S, K).
        times: seconds since the epoch, shape (S,).
    """
    for step, row, moment in zip(steps, values_SK, times, strict=True):
        event = Event(wall_time=moment, step=step)
        add = event.summary.value.add
        for tag, value in zip(tags, row, strict=True):
            if -FLOAT32_MAX <= value <= FLOAT32_MAX:
                entry = add()
                entry.tag, entry.simple_value = tag, value
        if event.summary.value:
            yield event


def copy_events(source: Path, target: Path, *, size: int, without: str) -> int:
    """Copy the beginning of an event file, without what it holds for one plugin of TensorBoard.

    Args:
        source: the file.
        target: where the copy goes.
        size: how many bytes of the source to copy, up to the end of an event.
        without: the name of the plugin.

    Returns:
        The copy's bytes.
    """
    kept = [
        event
        for event in events(source, size=size)
        if all(value.metadata.plugin_data.plugin_name != without for value in event.summary.value)
    ]
    with durable.replacing(target) as file:
        return file.write(b"".join(map(_record, kept)))


def _record(event: Event) -> bytes:
    """The event framed as a TFRecord, https://www.tensorflow.org/tutorials/load_data/tfrecord."""
    data = event.SerializeToString()
    length = _LENGTH.pack(len(data))
    return b"".join((length, _checksum(length), data, _checksum(data)))


def _checksum(data: bytes) -> bytes:
    """CRC-32C, masked as the format requires: rotated right by 15 bits, plus a constant."""
    crc = google_crc32c.value(data)
    return _CHECKSUM.pack(((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


@dataclass(frozen=True)
class Curve:
    """One tag of one run: steps int64 of shape (S,), values float64 of shape (S,), by increasing step."""

    steps: np.ndarray
    values: np.ndarray


def curves(run_folder: Path) -> dict[str, Curve]:
    """Every scalar of a run by tag. A half-written record at the end of a file is skipped.

    Raises:
        ConfigError: if a file is damaged: a checksum is wrong.
    """
    files = sorted(run_folder.glob(folders.EVENT_FILES))
    points: dict[str, list[tuple[ScalarTable, int]]] = {}
    for table in scalar_tables(itertools.chain.from_iterable(map(_serialised, files))):
        for row, tag in enumerate(table.tags):
            points.setdefault(tag, []).append((table, row))
    found = {tag: _curve(parts) for tag, parts in points.items()}
    if version_1.is_of_version_1(found):
        record = read_record(run_folder)
        found = version_1.upgraded(found, _gain, overrides=record["overrides"] if record else [])
    return found


def _gain(chain: Sequence[Curve]) -> Curve:
    """The gain per layer at every step, from the gradients of layers of one shape."""
    gain = gain_per_layer(np.stack([curve.values for curve in chain], axis=1))
    known = np.isfinite(gain)
    return Curve(chain[0].steps[known], gain[known])


def _curve(parts: Sequence[tuple[ScalarTable, int]]) -> Curve:
    """A row of each of these tables, by step; of points at one step, the one written first comes first."""
    if len(parts) == 1:
        ((table, row),) = parts
        return Curve(table.steps, table.values[row])
    steps, values, order = (
        np.concatenate(found)
        for found in zip(*((table.steps, table.values[row], table.order) for table, row in parts), strict=True)
    )
    sequence = np.lexsort((order, steps))
    return Curve(steps[sequence], values[sequence])


def events(file: Path, *, size: int | None = None) -> Iterator[Event]:
    """The events of a file up to its end, or to a record of which only the beginning has been written.

    Args:
        file: an event file.
        size: how many bytes of it to read; None for all.

    Raises:
        ConfigError: if a checksum is wrong, from there on.
    """
    return map(Event.FromString, _serialised(file, size=size))


def _serialised(file: Path, *, size: int | None = None) -> Iterator[bytes]:
    """What `events` makes events of."""
    data = file.read_bytes()[:size]
    start = 0
    while start + _HEAD <= len(data):
        body = start + _HEAD
        end = body + _length(data[start:body])
        if end < body or (end + _TAIL <= len(data) and data[end : end + _TAIL] != _checksum(data[body:end])):
            raise ConfigError(f"{file}: damaged at byte {start:,}")
        if end + _TAIL > len(data):
            return
        yield data[body:end]
        start = end + _TAIL


@functools.lru_cache(maxsize=1000)
def _length(head: bytes) -> int:
    """Of the record that begins so, in bytes; -1 if the checksum is wrong. Few lengths occur again and again."""
    length = head[: _LENGTH.size]
    return _LENGTH.unpack(length)[0] if head[_LENGTH.size :] == _checksum(length) else -1
