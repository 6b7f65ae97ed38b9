"""Tables of scalars are, byte by byte, what TensorBoard's own writer makes of the same events."""

import io

import numpy as np
import pytest
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

from gradflow.runs.event_rows import records

NAN, INF = float("nan"), float("inf")
STEPS = [0, 1, 127, 128, 300, 16_383, 16_384, 2_097_152, 2**35, 2**62]


def written_by_tensorboard(tags, steps, values, times):
    file = io.BytesIO()
    writer = RecordWriter(file)
    for step, row, moment in zip(steps, values, times, strict=True):
        entries = [
            Summary.Value(tag=tag, simple_value=value)
            for tag, value in zip(tags, row, strict=True)
            if abs(value) <= 3.4028234663852886e38
        ]
        if entries:
            writer.write(Event(wall_time=moment, step=step, summary=Summary(value=entries)).SerializeToString())
    return file.getvalue()


def table(rows, columns):
    generator = np.random.default_rng(0)
    values = generator.standard_normal((rows, columns)) * 10.0 ** generator.integers(-30, 30, (rows, columns))
    return values, 1.7e9 + np.arange(rows) / 3


@pytest.mark.parametrize("columns", [1, 2, 40])
def test_rows_of_any_step_are_tensorboards_own_bytes(columns):
    values, times = table(len(STEPS), columns)
    tags = [f"grad_norm/{i:02d}_block" * (1 + i % 7) for i in range(columns)]  # lengths on both sides of a varint's
    assert records(tags, STEPS, values, times) == written_by_tensorboard(tags, STEPS, values, times)


def test_values_that_are_no_float32_are_left_out_of_their_rows():
    values, times = table(6, 3)
    values[1, 0], values[2, 0], values[3], values[4, 2], values[5, 1] = NAN, NAN, INF, -1e39, 0.0
    steps = range(100, 106)
    assert records("abc", steps, values, times) == written_by_tensorboard("abc", steps, values, times)


def test_rows_may_come_in_any_memory_order_and_be_none():
    values, times = table(5, 4)
    turned = np.asfortranarray(values)
    assert records("abcd", range(5), turned, times[::1]) == records("abcd", range(5), values, list(times))
    assert records("ab", [], np.empty((0, 2)), []) == b""
