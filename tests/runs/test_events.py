"""Events are written, byte by byte, as TensorBoard writes them, and read as it reads them, even while being written."""

import errno
import io
import struct
from pathlib import Path

import numpy as np
import pytest
from forged_runs import write_events, write_run
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter
from torch.utils.tensorboard import SummaryWriter

from gradflow.errors import CannotWrite, ConfigError
from gradflow.runs.events import EventFile, curves, scalar_events

NAN, INF = float("nan"), float("inf")
STEPS = [0, 1, 127, 128, 300, 16_383, 16_384, 2_097_152, 2**35, 2**62]


def written(folder, *tables):
    """The bytes that the tables make, after the event that every file begins with."""
    file = EventFile(folder)
    file.write([])
    (path,) = folder.iterdir()
    start = path.stat().st_size
    for table in tables:
        file.write(scalar_events(*table))
    return path.read_bytes()[start:]


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
def test_rows_of_any_step_are_tensorboards_own_bytes(tmp_path, columns):
    values, times = table(len(STEPS), columns)
    tags = [f"grad_norm/{i:02d}_block" * (1 + i % 7) for i in range(columns)]  # lengths on both sides of a varint's
    rows = (tags, STEPS, values, times)
    assert written(tmp_path, rows) == written_by_tensorboard(*rows)


def test_values_that_are_no_float32_are_left_out_of_their_rows(tmp_path):
    values, times = table(6, 3)
    values[1, 0], values[2, 0], values[3], values[4, 2], values[5, 1] = NAN, NAN, INF, -1e39, 0.0
    rows = ("abc", range(100, 106), values, times)
    assert written(tmp_path, rows) == written_by_tensorboard(*rows)
    assert len(list(scalar_events(*rows))) == 5  # nothing is left of the row of infinities


def test_tables_follow_each_other_and_may_be_empty(tmp_path):
    values, times = table(5, 4)
    halves = [
        ("abcd", range(2), values[:2], times[:2]),
        ("ab", [], [], []),
        ("abcd", range(2, 5), values[2:], times[2:]),
    ]
    assert written(tmp_path, *halves) == written_by_tensorboard("abcd", range(5), values, times)


def crc32c(data):
    """By definition: the remainder of a division by Castagnoli's polynomial, bits reversed."""
    remainder = 0xFFFFFFFF
    for byte in data:
        remainder ^= byte
        for _ in range(8):
            remainder = remainder >> 1 ^ (0x82F63B78 if remainder & 1 else 0)
    return remainder ^ 0xFFFFFFFF


def test_checksums_are_right(tmp_path):
    assert crc32c(b"123456789") == 0xE3069283  # the check value of CRC-32C
    record = written(tmp_path, ("a", [7], [[0.5]], [1.7e9]))
    length, data = record[:8], record[12:-4]
    assert struct.unpack("<Q", length) == (len(data),)
    for part, stored in ((length, record[8:12]), (data, record[-4:])):
        bits = f"{crc32c(part):032b}"
        rotated = int(bits[-15:] + bits[:-15], 2)
        assert struct.unpack("<I", stored) == ((rotated + 0xA282EAD8) % 2**32,)


def test_files_of_one_process_do_not_collide_and_tensorboard_reads_both(tmp_path):
    files = [EventFile(tmp_path / "run") for _ in range(2)]
    assert list(tmp_path.iterdir()) == []  # created with their first events
    for i, file in enumerate(files):
        file.write(scalar_events(["a"], [i], [[i]], [1.7e9 + i]))
    paths = sorted((tmp_path / "run").glob("events.out.tfevents.*"))
    assert len(paths) == 2
    for path in paths:
        assert next(iter(EventFileLoader(str(path)).Load())).file_version == "brain.Event:2"
    accumulator = EventAccumulator(str(tmp_path / "run")).Reload()
    assert [(event.step, event.value) for event in accumulator.Scalars("a")] == [(0, 0), (1, 1)]
    assert curves(tmp_path / "run")["a"].values.tolist() == [0, 1]


def test_every_point_equals_tensorboards_own_reading(tmp_path):
    rng = np.random.default_rng(0)
    writer = SummaryWriter(str(tmp_path))
    for step in range(50):
        for tag in ("a/b", "c"):
            writer.add_scalar(tag, rng.normal(), step, new_style=False)
    writer.close()
    accumulator = EventAccumulator(str(tmp_path), size_guidance={"scalars": 0})
    accumulator.Reload()
    read = curves(tmp_path)
    assert set(read) == {"a/b", "c"}
    for tag, curve in read.items():
        expected = accumulator.Scalars(tag)
        assert curve.steps.tolist() == [event.step for event in expected]
        assert curve.values.tolist() == [event.value for event in expected]


def test_a_half_written_end_is_left_out(tmp_path):
    write_events(tmp_path, {"loss": [3.0, 2.0, 1.0]})
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    for missing in range(1, len(whole)):
        file.write_bytes(whole[:-missing])
        read = curves(tmp_path)
        assert read.get("loss") is None or read["loss"].values.tolist() == [3.0, 2.0, 1.0][: len(read["loss"].values)]
    file.write_bytes(whole[:-1])
    assert curves(tmp_path)["loss"].values.tolist() == [3.0, 2.0]


def test_the_files_of_several_attempts_make_one_curve(tmp_path):
    run = write_run(tmp_path / "study", curves={"loss": {2: 1.0, 3: 0.5}})
    write_events(run, {"loss": {0: 3.0, 1: 2.0}})
    assert curves(run)["loss"].steps.tolist() == [0, 1, 2, 3]
    assert curves(run)["loss"].values.tolist() == [3.0, 2.0, 1.0, 0.5]


def test_a_run_without_curves_has_none(tmp_path):
    assert curves(tmp_path) == {}


def damaged(content, at, size, fill):
    return content[:at] + fill(size) + content[at + size :]


@pytest.mark.parametrize("fill", [bytes, lambda size: b"\xa5" * size], ids=["zeros", "garbage"])
def test_damage_is_named_wherever_it_is(tmp_path, fill):
    write_events(tmp_path, {"loss": [3.0, 2.0, 1.0]})
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    for at in range(len(whole)):
        content = damaged(whole, at, 8, fill)[: len(whole)]
        if content != whole:
            file.write_bytes(content)
            with pytest.raises(ConfigError, match=rf"{file.name}: damaged at byte \d+$"):
                curves(tmp_path)


def test_zeros_at_the_end_are_damage(tmp_path):
    """What lengthening a short file leaves, and what a power cut may."""
    write_events(tmp_path, {"loss": [3.0, 2.0, 1.0]})
    (file,) = tmp_path.iterdir()
    size = file.stat().st_size
    with file.open("ab") as opened:
        opened.truncate(size + 64)
    with pytest.raises(ConfigError, match=f"damaged at byte {size}$"):
        curves(tmp_path)


def test_a_file_that_somebody_removes_or_cuts_is_not_begun_again(tmp_path):
    for harm in (lambda path: path.unlink(), lambda path: path.write_bytes(path.read_bytes()[:-5])):
        file = EventFile(tmp_path)
        file.write(scalar_events(["a"], [0], [[1.0]], [0.0]))
        path = max(tmp_path.iterdir())
        harm(path)
        with pytest.raises(CannotWrite, match=rf"{path.name}: cannot be written \(it has [\d,]+ of the [\d,]+ bytes"):
            file.write(scalar_events(["a"], [1], [[1.0]], [0.0]))


class Failing(io.FileIO):
    """Writes ten bytes, then raises."""

    error: BaseException

    def write(self, data):
        if len(data) <= 10:
            raise self.error
        return super().write(bytes(data[:10]))


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_a_write_that_ends_halfway_leaves_whole_records_to_go_on_from(tmp_path, monkeypatch, error):
    file = EventFile(tmp_path)
    file.write(scalar_events(["a"], [0], [[1.0]], [0.0]))
    (path,) = tmp_path.iterdir()
    before = path.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(Failing, "error", error, raising=False)
        patch.setattr(Path, "open", lambda self, mode, **_: Failing(self, "a"))
        with pytest.raises((CannotWrite, KeyboardInterrupt)):
            file.write(scalar_events(["a"], [1], [[1.0]], [0.0]))
    assert path.read_bytes() == before
    file.write(scalar_events(["a"], [1], [[2.0]], [0.0]))
    assert curves(tmp_path)["a"].values.tolist() == [1, 2]
