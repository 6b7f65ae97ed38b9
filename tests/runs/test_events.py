"""Curves are read as TensorBoard reads them, also from a file that is still being written."""

import numpy as np
from forged_runs import write_events, write_run
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.tensorboard import SummaryWriter

from gradflow.runs.events import curves


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
