"""Whole tables of scalars as TensorBoard records.

Through TensorBoard's own writer a row of ten scalars costs 100 microseconds, as much as a tenth of a training step of a
small network: two thirds of it for a checksum in Python, the rest for one message object a value. The rows of a table
differ in numbers of fixed width only, so one event is serialised and the numbers of the others are put in its place.
"""

import struct
from collections.abc import Iterator, Sequence

import google_crc32c
import numpy as np
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary

FLOAT32_MAX = float(np.finfo(np.float32).max)  # events hold scalars in float32
_TIME = slice(1, 9)  # where an event has its wall_time, after the key of one byte
_STEP = 10  # where its step begins, after another key


def records(tags: Sequence[str], steps: Sequence[int], values_SK: np.ndarray, times: Sequence[float]) -> bytes:
    """One event a row, framed as TFRecords. Values that are not finite, or no float32, are left out.

    Args:
        tags: K names.
        steps: at least 0, shape (S,).
        values_SK: shape (S, K).
        times: seconds since the epoch, shape (S,).
    """
    step_S, time_S = np.asarray(steps, np.int64), np.asarray(times, "<f8")
    values_SK = np.asarray(values_SK, np.float64)
    there_SK = np.abs(values_SK) <= FLOAT32_MAX  # false for nan
    parts = []
    for rows in _alike(there_SK, _varint_lengths(step_S)):
        there = there_SK[rows.start]
        if there.any():
            names = [tag for tag, is_there in zip(tags, there, strict=True) if is_there]
            parts.append(_framed(_events(names, step_S[rows], values_SK[rows][:, there], time_S[rows])))
    return b"".join(parts)


def _alike(there_SK: np.ndarray, lengths_S: np.ndarray) -> Iterator[slice]:
    """Runs of rows that have the same values present and steps of the same length."""
    changes = (there_SK[1:] != there_SK[:-1]).any(axis=1) | (lengths_S[1:] != lengths_S[:-1])
    ends = [*(np.flatnonzero(changes) + 1).tolist(), len(there_SK)]
    return (slice(start, end) for start, end in zip([0, *ends], ends, strict=False) if start < end)


def _varint_lengths(step_S: np.ndarray) -> np.ndarray:
    """Bytes of each step as a protobuf varint, seven bits a byte; an event without step is at step 0."""
    return (step_S[:, None] >= 1 << np.arange(0, 63, 7)).sum(axis=1)


def _events(tags: Sequence[str], step_S: np.ndarray, values_SK: np.ndarray, time_S: np.ndarray) -> np.ndarray:
    """One serialised event a row, uint8 of shape (S, bytes)."""
    entries = [Summary.Value(tag=tag, simple_value=1.0) for tag in tags]
    template = Event(wall_time=1.0, step=int(step_S[0]), summary=Summary(value=entries)).SerializeToString()
    sizes = [len(Summary(value=[entry]).SerializeToString()) for entry in entries]
    events = np.tile(np.frombuffer(template, np.uint8), (len(step_S), 1))
    events[:, _TIME] = np.ascontiguousarray(time_S)[:, None].view(np.uint8)
    length = int(_varint_lengths(step_S[:1])[0])
    for i in range(length):
        more = 0x80 if i < length - 1 else 0
        events[:, _STEP + i] = (step_S >> 7 * i & 0x7F) | more
    # Each entry ends in its value, and the event in its last entry.
    ends = len(template) - sum(sizes) + np.cumsum(sizes)
    places = (ends[:, None] - 4 + np.arange(4)).ravel()
    events[:, places] = np.ascontiguousarray(values_SK, "<f4").view(np.uint8)
    return events


def _framed(events: np.ndarray) -> bytes:
    """Length, checksum of the length, event, checksum of the event: https://www.tensorflow.org/tutorials/load_data/tfrecord."""
    length = struct.pack("<Q", events.shape[1])
    head = np.frombuffer(length + _checksum(length), np.uint8)
    checksums = np.frombuffer(b"".join(_checksum(event.tobytes()) for event in events), np.uint8).reshape(-1, 4)
    return np.concatenate([np.tile(head, (len(events), 1)), events, checksums], axis=1).tobytes()


def _checksum(data: bytes) -> bytes:
    """CRC-32C, masked as the format has it."""
    crc = google_crc32c.value(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)
