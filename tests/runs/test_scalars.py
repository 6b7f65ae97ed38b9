"""Rows of scalars reach Lightning's loggers, each value at its own step, beside what `self.log` writes."""

import csv
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import wandb_files
from any_modules import SAMPLES, Classifier, Rows, fit, images
from lightning.pytorch.loggers import CSVLogger, MLFlowLogger, TensorBoardLogger, WandbLogger
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import nn
from torch.utils.tensorboard import SummaryWriter
from waiting import wait_until

import gradflow
from gradflow.runs.scalars import write_rows, write_to_summary

pytestmark = pytest.mark.filterwarnings("ignore:.*does not have many workers")
STEPS, EPOCHS = SAMPLES // 2, 2
TAGS = ("grad_norm/total", "grad_rms/00_network.1", "train_loss")


def network():
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 5), nn.ReLU(), nn.Linear(5, 3))


def fitted(*loggers):
    """The rows that a logger of our own saw, which the others must have too."""
    rows = Rows()
    fit(Classifier(network(), images(8)), callbacks=gradflow.monitors(), epochs=EPOCHS, logger=[rows, *loggers])
    return rows


def events(folder):
    return EventAccumulator(str(folder), size_guidance={"scalars": 0}).Reload()


def points(folder, tag):
    return {event.step: event.value for event in events(folder).Scalars(tag)}


def test_several_loggers_have_every_value_at_its_step(tmp_path):
    tensorboard, table = TensorBoardLogger(tmp_path), CSVLogger(tmp_path / "csv")
    rows = fitted(tensorboard, table)
    read = list(csv.DictReader(Path(table.log_dir, "metrics.csv").read_text().splitlines()))
    for tag in TAGS:
        expected = rows.curve(tag)
        assert list(expected) == list(range(STEPS * EPOCHS))  # gradients stand beside the loss of their batch
        assert points(tensorboard.log_dir, tag) == pytest.approx(expected, rel=1e-6)
        assert {int(row["step"]): float(row[tag]) for row in read if row.get(tag)} == pytest.approx(expected)
    assert list(points(tensorboard.log_dir, "dead_units/total")) == [STEPS, 2 * STEPS]  # updates so far


def test_without_loggers_the_latest_values_are_there_all_the_same():
    fit(Classifier(network(), images(8)), callbacks=(callbacks := gradflow.monitors()), logger=False)
    assert callbacks[0].latest["grad_norm/total"] > 0


@pytest.mark.parametrize("prefix", ["", "mine"])
def test_tensorboard_gets_a_row_as_one_event_unless_a_prefix_changes_the_tags(tmp_path, prefix):
    logger = TensorBoardLogger(tmp_path, prefix=prefix)
    nan = float("nan")
    write_rows([logger], ["a", "b"], [2, 5], np.array([[1.0, 2.0], [nan, 3.0]]), [10.0, 20.0])
    logger.save()
    found = {tag: points(logger.log_dir, tag) for tag in events(logger.log_dir).Tags()["scalars"]}
    start = f"{prefix}-" if prefix else ""
    assert found == {f"{start}a": {2: 1.0}, f"{start}b": {2: 2.0, 5: 3.0}}
    times = [event.wall_time for event in events(logger.log_dir).Scalars(f"{start}b")]
    assert (times == [10.0, 20.0]) == (not prefix)
    logger.finalize("success")


def test_a_closed_summary_writer_is_refused(tmp_path):
    writer = SummaryWriter(tmp_path)
    writer.close()
    with pytest.raises(ValueError, match="closed"):
        write_to_summary(writer, ["a"], [0], np.ones((1, 1)), [time.time()])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of its own
def test_wandb_has_every_value_at_its_step(tmp_path, monkeypatch):
    wandb = pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_SILENT", "true")
    monkeypatch.setenv("WANDB_MODE", "offline")  # which Lightning's logger sets for the whole process
    logger = WandbLogger(save_dir=tmp_path, offline=True)
    rows = fitted(logger)
    wandb.finish()
    for tag in TAGS:
        expected = rows.curve(tag)
        assert wait_until(partial(is_written, tmp_path, tag, expected))  # W&B's own process writes on
        found = of_wandb(tmp_path, tag)
        assert dict(found) == pytest.approx(expected, rel=1e-6)
        assert len(found) == len(expected)


def is_written(folder, tag, expected):
    return len(of_wandb(folder, tag)) >= len(expected)


def of_wandb(folder, tag):
    """(step, value) of every row of an offline run that has the tag."""
    return [(row["trainer/global_step"], row[tag]) for _, row in wandb_files.rows(folder) if tag in row]


@pytest.mark.filterwarnings("ignore")  # of SQLAlchemy's
def test_mlflow_has_every_value_at_its_step(tmp_path):
    pytest.importorskip("mlflow")
    logger = MLFlowLogger("any", tracking_uri=f"sqlite:///{tmp_path / 'mlflow.db'}")
    rows = fitted(logger)
    for tag in TAGS:
        found = {one.step: one.value for one in logger.experiment.get_metric_history(logger.run_id, tag)}
        assert found == pytest.approx(rows.curve(tag), rel=1e-6)
