"""Loggers on top of the record: every value at its step, seeds apart, and resumed without a lost or doubled point."""

import csv
import importlib.util
import json
import math
import re
from pathlib import Path

import pytest
from finished_runs import only_run, record, run_folders
from interruptions import interrupt_after
from waiting import wait_until

from gradflow import CONF
from gradflow.runs.events import curves
from gradflow.runs.further_logger import Described, FurtherLogger

PAGE = (CONF.parent / "docs" / "loggers.md").read_text()
SMALL = ("trainer=cpu", "model=mlp", "width=4", "blocks=1", "trainer.max_epochs=3", "data.batch_size=399")
QUIET = ("callbacks.pictures=null",)
RUN = Described("digits_mlp", "activation=relu", 0, {"optimizer.lr": 0.001})


def of_events(folder):
    """Every point in the record of a run."""
    found = curves(folder)
    return sorted(
        (tag, int(step), float(value))
        for tag, curve in found.items()
        for step, value in zip(curve.steps, curve.values, strict=True)
    )


def of_csv(folder):
    with (folder / "metrics.csv").open(newline="") as file:
        return sorted((row["metric"], int(row["step"]), float(row["value"])) for row in csv.DictReader(file))


def same(points, expected):
    """Whether both are the same, to the precision of events, which hold float32."""
    close = (math.isclose(a[2], b[2], rel_tol=1e-6, abs_tol=1e-37) for a, b in zip(points, expected, strict=False))
    return [one[:2] for one in points] == [one[:2] for one in expected] and all(close)


class Recorder(FurtherLogger):
    """Keeps what is sent; fails as often as it is told to."""

    name = "recorder"

    def __init__(self, folder, failures=0):
        super().__init__(folder)
        self.sent, self.failures = [], failures

    def _open(self, run):
        if not self._kept():
            self._keep({"rows": self._first})

    def _sent(self):
        return self._kept()["rows"]

    def _send(self, rows, *, first):
        if self.failures:
            self.failures -= 1
            raise ConnectionError("no server\nat all")
        self.sent += [(number, *row) for number, row in enumerate(rows, start=first)]
        self._keep({"rows": first + len(rows)})

    def _close(self, state):
        self.sent.append(state)


def test_rows_wait_for_a_checkpoint_and_values_that_are_not_finite_are_left_out(tmp_path):
    logger = Recorder(tmp_path)
    logger.begin(RUN, None)
    logger.log_metrics({"a": 1, "b": math.nan}, 3)
    logger.log_metrics({"b": math.inf}, 3)
    assert logger.sent == []
    assert logger.flush() == 1
    assert logger.sent == [(0, 3, {"a": 1.0})]
    logger.log_metrics({"a": 2}, 4)
    logger.end("interrupted", is_over=False)  # the resumed run will log it again
    assert logger.sent[1:] == ["interrupted"]


def test_what_was_sent_before_a_checkpoint_was_saved_is_not_sent_again(tmp_path):
    killed = Recorder(tmp_path)
    killed.begin(RUN, None)
    for step in range(5):
        killed.log_metrics({"a": step}, step)
    assert killed.flush() == 5
    resumed = Recorder(tmp_path)
    resumed.begin(RUN, 2)  # the last checkpoint that was saved
    for step in range(2, 7):
        resumed.log_metrics({"a": step}, step)
    resumed.end("finished", is_over=True)
    assert resumed.sent == [(5, 5, {"a": 5.0}), (6, 6, {"a": 6.0}), "finished"]


def test_a_run_that_starts_again_starts_another_copy(tmp_path):
    first = Recorder(tmp_path)
    first.begin(RUN, None)
    first.log_metrics({"a": 1}, 0)
    first.flush()
    again = Recorder(tmp_path)
    again.begin(RUN, None)
    again.log_metrics({"a": 1}, 0)
    again.flush()
    assert again.sent == first.sent == [(0, 0, {"a": 1.0})]


def test_a_failing_logger_is_named_once_and_loses_nothing(tmp_path, caplog):
    logger = Recorder(tmp_path, failures=2)
    logger.begin(RUN, None)
    for step in range(3):
        logger.log_metrics({"a": step}, step)
        assert logger.flush() == step + 1
    assert logger.sent == [(step, step, {"a": step}) for step in range(3)]
    assert [message for message in caplog.messages if "recorder" in message] == [
        "recorder: cannot log (no server); the run goes on, and tries again later"
    ]


@pytest.mark.slow
def test_a_csv_file_has_every_point_of_the_record_for_each_seed(command, tmp_path, monkeypatch):
    outcome = command("-m", "seed=0,1", "logger=csv", *SMALL, *QUIET)
    assert (outcome.status, outcome.err) == (0, "")
    folders = run_folders(tmp_path)
    assert len(folders) == 2
    for folder in folders:
        assert same(of_csv(folder), of_events(folder))
        found = {metric: value for metric, _, value in of_csv(folder)}
        assert found["test/acc_at_best"] == record(folder)["metrics"]["test/acc_at_best"]
    assert of_csv(folders[0]) != of_csv(folders[1])
    monkeypatch.chdir(folders[1])
    names = {}
    exec(re.search(r"^```python\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)[1], names)
    assert names["table"].loc[9, "test/acc"] == record(folders[1])["metrics"]["test/acc"]


@pytest.mark.slow
def test_a_resumed_run_goes_on_in_its_csv_file(command, tmp_path, monkeypatch):
    arguments = ("logger=[tensorboard,csv]", *SMALL, *QUIET)
    assert command(*arguments, "output_dir=whole").status == 0
    assert interrupt_after(command, monkeypatch, 2, *arguments).status == 130
    whole = next(tmp_path.glob("whole/*/*/seed=0/metrics.csv"))
    assert 0 < len(of_csv(only_run(tmp_path))) < len(of_csv(whole.parent))
    assert command(*arguments).status == 0
    assert (only_run(tmp_path) / "metrics.csv").read_bytes() == whole.read_bytes()


def test_without_the_record_the_file_is_there_alone(command, tmp_path):
    assert command("logger=[none,csv]", *SMALL, *QUIET, "trainer.max_epochs=1").status == 0
    assert not list(only_run(tmp_path).glob("events*"))
    assert any(metric == "test/acc" for metric, _, _ in of_csv(only_run(tmp_path)))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["+logger.csv.delimiter=x", "logger=csv"], "logger.csv.delimiter=x: "),
        (["logger=csv", "+logger.csv.folder=x"], "logger.csv.folder=x: gradflow sets it; use output_dir"),
        (["+logger.mine._target_=torch.nn.ReLU"], "logger.mine._target_=torch.nn.ReLU: is no logger of Lightning's"),
        (["logger=wandb"], "logger=wandb: the package wandb is not installed; pip install wandb, or install gradflow"),
        (["logger=mlflow"], "logger=mlflow: the package mlflow is not installed; pip install mlflow, or install"),
    ],
)
def test_a_wrong_logger_is_refused_before_training(command, tmp_path, monkeypatch, arguments, said):
    find = importlib.util.find_spec
    lacking = ("wandb", "mlflow")
    monkeypatch.setattr("importlib.util.find_spec", lambda name, *rest: None if name in lacking else find(name, *rest))
    outcome = command(*arguments, *SMALL)
    assert outcome.status == 2
    assert outcome.err.startswith(f"gradflow: {said}")
    assert not (tmp_path / "outputs").exists()


@pytest.mark.slow
def test_lightnings_own_loggers_have_the_test_scores_too(command, tmp_path):
    own = ("+logger.mine._target_=lightning.pytorch.loggers.CSVLogger", f"+logger.mine.save_dir='{tmp_path / 'logs'}'")
    assert command(*own, *SMALL, *QUIET).status == 0
    (file,) = (tmp_path / "logs").rglob("metrics.csv")
    with file.open(newline="") as opened:
        columns = csv.DictReader(opened).fieldnames
    assert {"test/acc", "test/acc_at_best", "val/acc", "train/loss_step"} <= set(columns)


@pytest.mark.slow
def test_the_events_of_a_logger_of_ones_own_survive_resuming(command, tmp_path, monkeypatch):
    own = ("logger._target_=own_loggers.events_in", *SMALL, *QUIET)
    assert interrupt_after(command, monkeypatch, 3, *own).status == 130
    before = {file: file.read_bytes() for file in only_run(tmp_path).glob("events*")}
    assert before
    assert command(*own).status == 0
    assert all(file.read_bytes().startswith(content) for file, content in before.items())


@pytest.mark.slow
def test_a_resumed_run_goes_on_in_its_run_of_wandb(command, tmp_path, monkeypatch):
    pytest.importorskip("wandb")
    import wandb_files

    monkeypatch.setenv("WANDB_MODE", "offline")
    arguments = ("-m", "seed=0,1", "logger=wandb", *SMALL, *QUIET)
    assert interrupt_after(command, monkeypatch, 2, *arguments).status == 130
    assert command(*arguments).status == 0
    ids = []
    for seed, folder in enumerate(run_folders(tmp_path)):
        assert wait_until(lambda folder=folder: wandb_files.exit_codes(folder)[-1:] == [0])
        rows = wandb_files.rows(folder)
        assert [number for number, _ in rows] == list(range(len(rows)))
        points = [
            (tag, values["trainer/global_step"], value)
            for _, values in rows
            for tag, value in values.items()
            if tag != "trainer/global_step"
        ]
        assert same(sorted(points), of_events(folder))
        runs = wandb_files.runs(folder)
        assert len({one.run_id for one in runs}) == 1
        ids += [runs[0].run_id]
        described = (runs[-1].project, runs[-1].run_group, runs[-1].display_name)
        assert described == ("digits_mlp", record(folder)["config"], f"seed={seed}")
        config = {one.key: json.loads(one.value_json) for one in runs[-1].config.update}
        assert (config["optimizer.lr"], config["seed"]) == (0.001, seed)
    assert len(set(ids)) == 2


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # MLflow's own
def test_a_resumed_run_goes_on_in_its_run_of_mlflow(command, tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow")
    place = f"sqlite:///{tmp_path}/mlflow.db"
    arguments = ("-m", "seed=0,1", "logger=mlflow", f"logger.mlflow.tracking_uri='{place}'", *SMALL, *QUIET)
    assert interrupt_after(command, monkeypatch, 2, *arguments).status == 130
    assert command(*arguments).status == 0
    client = mlflow.MlflowClient(place)
    experiment = client.get_experiment_by_name("digits_mlp").experiment_id
    runs = sorted(client.search_runs([experiment]), key=lambda run: run.info.run_name)
    assert [run.info.run_name for run in runs] == ["seed=0", "seed=1"]
    for run, folder in zip(runs, run_folders(tmp_path), strict=True):
        assert run.info.status == "FINISHED"
        assert run.data.tags["config"] == record(folder)["config"]
        assert run.data.params["optimizer.lr"] == "0.001"
        points = [
            (tag, point.step, point.value)
            for tag in run.data.metrics
            for point in client.get_metric_history(run.info.run_id, tag)
        ]
        assert same(sorted(points), of_events(folder))
        assert run.data.tags["folder"] == str(Path(folder).absolute())
