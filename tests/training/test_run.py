"""Runs from the command line on: what they leave behind, how they end, and what a second command does."""

import errno
import logging
import os
import re
import signal
import statistics
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import numpy as np
import own_activations
import pytest
import torch
from finished_runs import left_by, only_run, record, run_folders, states, steps, weights, written_twice
from omegaconf import OmegaConf

from gradflow import signals
from gradflow.runs import folders, identity
from gradflow.runs.progress import Progress, read_progress, write_progress
from gradflow.runs.record import write_record
from gradflow.runs.samples import TEST, TRAIN, VALIDATION, read_samples
from gradflow.sweep import cli
from gradflow.training import build, run

SMALL = ("trainer=cpu", "model=mlp", "width=4", "trainer.max_epochs=2", "data.batch_size=399")
QUIET = ("callbacks.pictures=null",)
BREAKING = ("activation=custom", "activation._target_=own_activations.Breaking", "blocks=1", *SMALL, *QUIET)


@pytest.fixture
def breaking(monkeypatch):
    """`breaking(error, after=n)`: make the breaking activation raise it; None mends it."""

    def set_error(error, *, after=0):
        for name, value in {"error": error, "after": after, "seen": 0}.items():
            monkeypatch.setattr(own_activations.Breaking, name, value)

    return set_error


@pytest.fixture(scope="module")
def sweep(command_in, tmp_path_factory):
    """Two activations, two depths, two seeds: the outcome, and the folder in which the command ran."""
    root = tmp_path_factory.mktemp("sweep")
    grid = ("activation=relu,sigmoid", "blocks=1,2", "seed=0,1")
    return command_in(root, "-m", *grid, *SMALL, *QUIET), root


def test_a_sweep_leaves_one_complete_folder_a_run(sweep):
    outcome, root = sweep
    assert outcome.status == 0, outcome
    assert outcome.err == ""
    assert len(run_folders(root)) == 8
    shared = "model=mlp,width=4,data.batch_size=399,trainer.max_epochs=2"
    assert {str(folder.relative_to(root / "outputs" / "digits_mlp")) for folder in run_folders(root)} == {
        f"activation={activation},blocks={blocks},{shared}/seed={seed}"
        for activation in ("relu", "sigmoid")
        for blocks in (1, 2)
        for seed in (0, 1)
    }
    for folder in run_folders(root):
        assert {"run.json", "train.log", ".hydra", "checkpoints"} <= {path.name for path in folder.iterdir()}
        assert {path.name for path in (folder / "checkpoints").iterdir()} == {"last.ckpt", "best.ckpt"}
        assert {path.name for path in (folder / ".hydra").iterdir()} == {"config.yaml", "hydra.yaml", "overrides.yaml"}


def test_every_record_is_complete(sweep):
    for folder in run_folders(sweep[1]):
        found = record(folder)
        assert found["state"] == "finished"
        assert found["attempts"] == 1
        assert found["error"] is None
        assert found["study"] == "digits_mlp"
        assert f"activation={found['activation']},blocks={found['blocks']}," in found["config"]
        assert found["config"] == folder.parent.name
        assert folders.seed_folder(found["seed"]) == folder.name
        assert {f"activation={found['activation']}", f"blocks={found['blocks']}", "width=4"} <= set(found["overrides"])
        assert re.fullmatch("[0-9a-f]{64}", found["config_hash"])
        assert datetime.fromisoformat(found["started"]) <= datetime.fromisoformat(found["finished"])
        assert found["duration_s"] > 0
        made = {"git_commit", "git_clean", "python", "torch", "lightning", "hydra", "device", "threads", "command"}
        assert made <= found["provenance"].keys()
        assert found["provenance"]["command"].startswith("train.py -m activation=relu,sigmoid")
        scores = {"train/loss", "val/acc", "val/acc_best", "test/acc", "test/acc_at_best", "best_epoch"}
        assert scores | {"grad_norm/total", "grad_abs_mean", "dead_units/total"} <= found["metrics"].keys()
        assert 0 <= found["metrics"]["test/acc_at_best"] <= 1


def test_the_stored_configuration_is_the_one_that_was_hashed(sweep):
    for folder in run_folders(sweep[1]):
        stored = OmegaConf.load(folder / ".hydra" / "config.yaml")
        counted = identity.counted(identity.whole(stored), has_batch_norm=False)
        assert identity.digest(counted) == record(folder)["config_hash"]
        assert OmegaConf.load(folder / ".hydra" / "overrides.yaml") == record(folder)["overrides"]


def test_the_answers_to_the_test_samples_are_kept_and_their_mean_is_the_accuracy(sweep):
    for folder in run_folders(sweep[1]):
        found, metrics = read_samples(folder), record(folder)["metrics"]
        for tag in ("test/acc", "test/acc_at_best"):
            assert len(found.correct[tag]) == 300
            assert np.float32(found.correct[tag].mean()) == np.float32(metrics[tag])
        data = build.data(OmegaConf.load(folder / ".hydra" / "config.yaml"))
        for part, rows in ((TRAIN, data.split.train), (VALIDATION, data.split.validation), (TEST, data.split.test)):
            assert found.rows(part).tolist() == rows.tolist()


def test_the_answers_at_the_best_epoch_are_those_of_its_weights(command, tmp_path):
    """The last epoch's differ, because the learning rate is far too high."""
    assert (
        command("model=mlp", "blocks=1", "trainer=cpu", "trainer.max_epochs=6", "optimizer.lr=0.3", *QUIET).status == 0
    )
    run = only_run(tmp_path)
    found, cfg = read_samples(run), OmegaConf.load(run / ".hydra" / "config.yaml")
    assert record(run)["metrics"]["best_epoch"] < 6
    data = build.data(cfg)
    data.setup()
    module = build.module(cfg, data)
    (batch,) = data.test_dataloader()
    for tag, checkpoint in (("test/acc", "last.ckpt"), ("test/acc_at_best", "best.ckpt")):
        module.load_state_dict(weights(run, checkpoint))
        with torch.no_grad():
            right = module.network.eval()(batch[0]).argmax(1) == batch[1]
        assert found.correct[tag].tolist() == right.tolist()
    assert found.correct["test/acc"].tolist() != found.correct["test/acc_at_best"].tolist()


def test_batches_left_out_of_the_test_are_not_said_to_be_tested(command, tmp_path):
    left_out = ("data.eval_batch_size=100", "+trainer.limit_test_batches=2")
    assert command(*SMALL, *QUIET, "blocks=1", *left_out).status == 0
    found = read_samples(only_run(tmp_path))
    data = build.data(OmegaConf.load(only_run(tmp_path) / ".hydra" / "config.yaml"))
    assert found.rows(TEST).tolist() == data.split.test[:200].tolist()
    accuracy = record(only_run(tmp_path))["metrics"]["test/acc"]
    assert np.float32(found.correct["test/acc"].mean()) == np.float32(accuracy)


def test_a_resampled_split_is_the_seeds_and_every_activation_and_normalisation_has_it(command, tmp_path):
    grid = ("activation=relu,tanh", "model.norm=none,layer", "blocks=1", "seed=0,1", "resample_split=true")
    assert command("-m", *SMALL, *QUIET, "trainer.max_epochs=1", *grid).status == 0
    parts = {run: read_samples(run).parts.tobytes() for run in run_folders(tmp_path)}
    first, second = ({found for run, found in parts.items() if run.name == f"seed={seed}"} for seed in (0, 1))
    assert len(parts) == 8
    assert len(first) == len(second) == 1
    assert first != second


def test_regression_keeps_the_rows_alone(command, tmp_path):
    assert command(*SMALL, *QUIET, "data=diabetes", "blocks=1").status == 0
    found = read_samples(only_run(tmp_path))
    assert len(found.rows(TEST)) == 88
    assert found.correct == {}


def test_the_closing_table_shows_mean_and_spread_over_the_seeds(sweep):
    outcome, root = sweep
    values = {}
    for folder in run_folders(root):
        found = record(folder)
        values.setdefault((found["activation"], found["blocks"]), []).append(found["metrics"]["test/acc_at_best"])
    assert len({value for pair in values.values() for value in pair}) > 2  # else the test would show nothing
    for activation in ("relu", "sigmoid"):
        (row,) = [line for line in outcome.out.splitlines() if line.startswith(f"│ {activation}")]
        for cell, blocks in zip(row.split("│")[2:4], (1, 2), strict=True):
            pair = values[activation, blocks]
            assert cell.split("*")[0].strip() == f"{statistics.mean(pair):.3f} ± {statistics.stdev(pair):.3f}"
            others = [statistics.mean(v) for (_, b), v in values.items() if b == blocks]
            assert not cell.strip().endswith("*") or statistics.mean(pair) == max(others)
    assert "mean ± sd over 2 seeds" in outcome.out
    assert sum(line.count(" * ") for line in outcome.out.splitlines() if line.startswith("│")) == 2


def test_output_that_is_no_terminal_is_plain(sweep):
    outcome, _ = sweep
    assert "\x1b" not in outcome.out
    assert "\r" not in outcome.out
    assert [line.split(":")[0] for line in outcome.out.splitlines() if line.startswith("run ")] == [
        f"run {i}/8" for i in range(1, 9)
    ]


def test_there_is_one_event_file_with_one_value_a_tag_and_step(sweep):
    for folder in run_folders(sweep[1]):
        assert len(list(folder.glob("events.out.tfevents.*"))) == 1
        found = steps(folder)
        assert written_twice(folder) == []
        assert found["grad_norm/total"] == found["train/loss_step"] == [0, 1, 2, 3, 4, 5]
        assert found["dead_units/total"] == [0, 3, 6]
        assert found["val/acc"] == found["train/loss"] == [3, 6]
        assert found["test/acc_at_best"] == [6]


def test_the_same_command_again_trains_nothing(sweep, command_in):
    outcome, root = sweep
    before = {file: file.stat().st_mtime_ns for file in root.glob("outputs/**/*") if file.is_file()}
    again = command_in(root, "-m", "blocks=1,2", "seed=1,0", "activation=sigmoid,relu", *reversed(SMALL), *QUIET)
    assert again.status == 0, again
    assert "0 runs to train (8 already done)" in again.out
    assert {file: file.stat().st_mtime_ns for file in root.glob("outputs/**/*") if file.is_file()} == before
    cells = [[line for line in one.out.splitlines() if line.startswith("│")] for one in (outcome, again)]
    assert cells[0]
    assert sorted(cells[0]) == sorted(cells[1])


@pytest.mark.slow
def test_a_sweep_leaves_the_process_as_it_was(command, monkeypatch, breaking):
    def state():
        return {
            "cwd": Path.cwd(),
            "job": os.environ.get("GRADFLOW_JOB"),
            "SIGINT": signal.getsignal(signal.SIGINT),
            "log files": [
                handler for handler in logging.getLogger().handlers if isinstance(handler, logging.FileHandler)
            ],
            "hooks": [len(hooks) for name, hooks in vars(torch.nn.modules.module).items() if name.endswith("_hooks")],
            "denormal": float(torch.tensor(1e-40) * 1) > 0,
            "grad": torch.is_grad_enabled(),
            "dtype": torch.get_default_dtype(),
            "threads": torch.get_num_threads(),
            "deterministic": torch.are_deterministic_algorithms_enabled(),
        }

    signals.listen()  # as the command does, for as long as its process lives
    states, main = [], cli.main

    def watched():
        states.append(state())
        try:
            main()
        finally:
            states.append(state())

    monkeypatch.setattr(cli, "main", watched)
    assert command("-m", "seed=0,1", *SMALL, *QUIET).status == 0
    breaking(ValueError("broken on purpose"))
    assert command("-m", "seed=0,1", *BREAKING).status == 1
    breaking(KeyboardInterrupt())
    assert command("-m", "seed=0,1", *BREAKING).status == 130
    assert len(states) == 6
    assert states[0]["denormal"]
    assert states[::2] == states[1::2]


def test_a_run_that_cannot_be_taken_up_does_not_write_into_the_log_of_the_next(command, tmp_path, monkeypatch):
    def unreadable(folder, record):
        if record["seed"] == 0:
            raise OSError(errno.EIO, "Input/output error")
        logging.getLogger(__name__).warning("of seed 1")

    monkeypatch.setattr("gradflow.training.run.resume_point", unreadable)
    with pytest.raises(OSError, match="Input/output error"):
        command("-m", "seed=0,1", *SMALL, *QUIET)
    first, second = run_folders(tmp_path)
    assert "of seed 1" in (second / "train.log").read_text()
    assert (first / "train.log").read_text() == ""


@pytest.mark.slow
def test_two_folders_of_the_same_command_hold_the_same_results(command, tmp_path):
    for output in ("one", "two"):
        assert command(f"output_dir={output}", "activation=rrelu", "model.dropout=0.1", *SMALL, *QUIET).status == 0
    (one,), (two,) = tmp_path.glob("one/*/*/seed=0"), tmp_path.glob("two/*/*/seed=0")
    assert record(one)["metrics"]["test/acc"] > 0
    assert left_by(one) == left_by(two)


@pytest.mark.slow
def test_the_last_checkpoint_is_of_the_last_epoch_and_the_best_of_the_chosen_one(command, tmp_path):
    # At this rate training gets worse after its first epoch.
    assert command("optimizer=sgd", "optimizer.lr=5", *SMALL, *QUIET, "trainer.max_epochs=3").status == 0
    folder = only_run(tmp_path)
    last, best = (torch.load(folder / "checkpoints" / f"{name}.ckpt", weights_only=True) for name in ("last", "best"))
    assert (last["global_step"], last["epoch"]) == (9, 2)
    assert best["epoch"] + 1 == record(folder)["metrics"]["best_epoch"] < 3


@pytest.mark.slow
def test_curves_are_optional(command, tmp_path):
    assert command("logger=none", *SMALL, *QUIET).status == 0
    folder = only_run(tmp_path)
    assert not list(folder.glob("events*"))
    assert "test/acc_at_best" in record(folder)["metrics"]


def test_a_run_that_raises_is_recorded_and_the_others_go_on(command, tmp_path, breaking):
    breaking(ValueError("broken on purpose\nand on two lines"))
    both = "activation._target_=own_activations.Breaking,own_activations.Bent"
    arguments = ("-m", "activation=custom", both, "blocks=1", *SMALL, *QUIET)
    outcome = command(*arguments)
    assert outcome.status == 1, outcome
    failed = "1 of 2 runs failed; see their run.json for the error; the same command takes them up again"
    assert outcome.err == f"gradflow: {failed}\n"
    assert "Traceback" not in outcome.err
    good, bad = run_folders(tmp_path)
    assert record(good)["state"] == "finished"
    assert re.search(
        r"failed: activation=Breaking,\S*/seed=0: ValueError: broken on purpose$", outcome.out, re.MULTILINE
    )
    found = record(bad)
    assert (found["state"], found["activation"], found["attempts"]) == ("failed", "Breaking", 1)
    assert found["error"]["type"] == "ValueError"
    assert found["error"]["message"] == "broken on purpose\nand on two lines"
    assert "own_activations.py" in "\n".join(found["error"]["traceback"])
    assert not any(tag.startswith("test/") for tag in found["metrics"])
    assert "ValueError: broken on purpose" in (bad / "train.log").read_text()

    before = (good / "run.json").read_bytes()
    breaking(None)
    again = command(*arguments)
    assert again.status == 0, again
    assert "1 run to train (1 already done)" in again.out
    assert (good / "run.json").read_bytes() == before
    found = record(bad)
    assert (found["state"], found["attempts"], found["error"]) == ("finished", 2, None)
    assert written_twice(bad) == []


def test_a_run_that_diverges_is_a_result(command, tmp_path):
    arguments = ("optimizer=sgd", "optimizer.lr=1e30", "blocks=2", *SMALL, *QUIET, "width=16")
    outcome = command(*arguments)
    assert outcome.status == 0, outcome
    found = record(only_run(tmp_path))
    assert (found["state"], found["error"]["type"]) == ("diverged", "Diverged")
    assert not any(tag.startswith("test/") for tag in found["metrics"])
    assert "1 diverged" in outcome.out
    assert steps(only_run(tmp_path))["train/loss_step"][0] == 0  # its curves are kept
    again = command(*arguments)
    assert again.status == 0
    assert "0 runs to train (1 already done)" in again.out
    assert record(only_run(tmp_path)) == found


@pytest.mark.parametrize(
    "after",
    [
        pytest.param(1, marks=pytest.mark.slow, id="in the first epoch"),
        pytest.param(4, marks=pytest.mark.slow, id="in the second epoch"),
    ],
)
def test_an_interrupted_run_ends_as_if_it_had_not_been(command, tmp_path, breaking, after):
    uninterrupted = command("output_dir=whole", *BREAKING)
    assert uninterrupted.status == 0, uninterrupted
    breaking(KeyboardInterrupt(), after=after)
    outcome = command("-m", "seed=0,1", *BREAKING)
    assert outcome.status == 130, outcome
    assert outcome.err == "gradflow: interrupted\n"
    assert "interrupted: activation=Breaking," in outcome.out
    assert "test/acc_at_best" in outcome.out  # the table is shown all the same
    first, _ = run_folders(tmp_path)
    assert states(tmp_path) == ["interrupted", "planned"]
    breaking(None)
    again = command("-m", "seed=0,1", *BREAKING)
    assert again.status == 0, again
    assert states(tmp_path) == ["finished", "finished"]
    assert record(first)["attempts"] == 2
    (whole,) = tmp_path.glob("whole/*/*/seed=0")
    assert left_by(first) == left_by(whole)


@pytest.mark.slow
def test_a_killed_run_is_taken_up_again_and_does_not_show_how_far_it_was(command, tmp_path, monkeypatch):
    assert command(*SMALL, *QUIET).status == 0
    folder = only_run(tmp_path)
    before = record(folder)
    write_record(folder, before | {"state": "running", "metrics": {}})
    write_progress(folder, Progress(0.5, 1))
    shown, resume_point = [], run.resume_point
    monkeypatch.setattr(run, "resume_point", lambda *of: shown.append(read_progress(folder)) or resume_point(*of))
    again = command(*SMALL, *QUIET)
    assert again.status == 0, again
    assert shown == [None]
    assert record(folder)["metrics"] == before["metrics"]
    assert record(folder)["attempts"] == 2
    assert written_twice(folder) == []


@pytest.mark.slow
def test_a_run_that_another_process_holds_is_left_to_it(command, tmp_path):
    assert command("-m", "seed=0,1", *SMALL, *QUIET).status == 0
    held, other = run_folders(tmp_path)
    for folder in (held, other):
        write_record(folder, record(folder) | {"state": "failed"})
    program = (
        "import sys; from filelock import FileLock\n"
        "with FileLock(sys.argv[1]):\n    print('held', flush=True)\n    input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(held / ".lock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "held\n"
        outcome = command("-m", "seed=0,1", *SMALL, *QUIET)
        process.communicate("\n")
    assert f"{held.relative_to(tmp_path)}: another process is training this run; skipping it" in outcome.out
    assert (record(held)["state"], record(held)["attempts"]) == ("failed", 1)
    assert (record(other)["state"], record(other)["attempts"]) == ("finished", 2)


@pytest.mark.slow
def test_a_run_that_another_process_has_finished_meanwhile_is_not_trained_again(command, tmp_path, monkeypatch):
    assert command(*SMALL, *QUIET).status == 0
    folder = only_run(tmp_path)
    before = (folder / "run.json").read_bytes()
    monkeypatch.setattr("gradflow.sweep.plan.unfinished", lambda runs: list(runs))
    outcome = command(*SMALL, *QUIET)
    assert outcome.status == 0
    assert "another process has trained this run in the meantime" in outcome.out
    assert (folder / "run.json").read_bytes() == before


def test_a_folder_of_another_configuration_is_refused(command, tmp_path):
    assert command(*SMALL, *QUIET).status == 0
    folder = only_run(tmp_path)
    write_record(folder, record(folder) | {"config_hash": "0" * 64})
    before = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    outcome = command(*SMALL, *QUIET)
    assert outcome.status == 2
    assert re.fullmatch(
        r"gradflow: study=digits_mlp: .*holds a run of another configuration.*use another.*\n", outcome.err
    )
    assert {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()} == before


@pytest.mark.slow
def test_another_headline_is_shown_without_training(command):
    assert command(*SMALL, *QUIET).status == 0
    outcome = command("headline=test/loss", *SMALL, *QUIET)
    assert outcome.status == 0
    assert "0 runs to train" in outcome.out
    assert "digits_mlp: test/loss" in outcome.out


@pytest.mark.slow
def test_a_run_says_each_figure_once_and_small_ones_as_powers_of_ten(command):
    def said(*options):
        out = command(*options, *SMALL, *QUIET).out
        return next(line for line in out.splitlines() if "run 1/1: finished" in line)

    assert said("blocks=3", "headline=grad_flow/gain_per_layer").count("grad_flow/gain_per_layer") == 1
    small = said("activation=sigmoid", "blocks=6", "headline=grad_flow/first_to_last")
    assert re.search(r"grad_flow/first_to_last \d\.\de-0\d", small)


@pytest.mark.slow
def test_the_score_by_running_averages_is_measured_and_a_headline(command, tmp_path):
    conv = ("model=conv", *(option for option in SMALL if option != "model=mlp"), *QUIET)
    outcome = command(*conv)
    assert outcome.status == 0
    folder = only_run(tmp_path)
    running = record(folder)["metrics"]["test/acc_running_bn"]
    assert steps(folder)["test/acc_running_bn"] == steps(folder)["test/acc"]
    again = command(*conv, "headline=test/acc_running_bn")
    assert (again.status, f"{running:.3f}" in again.out) == (0, True)


@pytest.mark.slow
def test_regression_and_binary_tasks_run_to_the_end(command):
    for data, headline in [("diabetes", "test/r2_at_best"), ("circles", "test/acc_at_best")]:
        outcome = command(f"data={data}", *SMALL, *QUIET)
        assert outcome.status == 0, outcome
        assert f"{data}_mlp: {headline}" in outcome.out


FLUSHED = """
import torch
from omegaconf import OmegaConf
from gradflow.training.process import flushing, process_settings
torch.set_num_threads(2)
with flushing({first}):
    products = torch.full((4_000_000,), 1e-30) * 1e-10
    print(int((products != 0).sum()))
settings = {{"flush_denormal": {then}, "threads": 2, "precision": 32, "trainer": {{"devices": 1}}}}
with process_settings(OmegaConf.create(settings)):
    print(torch.get_num_threads())
"""


@pytest.mark.slow
@pytest.mark.parametrize(("first", "then", "subnormal", "threads"), [(1, 1, 0, 2), (0, 0, 4_000_000, 2), (1, 0, 0, 1)])
def test_worker_threads_treat_subnormal_numbers_as_the_run_wants(first, then, subnormal, threads):
    """They keep what held when they were started, so a run that wants it otherwise has no workers."""
    script = FLUSHED.format(first=bool(first), then=bool(then))
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert list(map(int, told)) == [subnormal, threads]
