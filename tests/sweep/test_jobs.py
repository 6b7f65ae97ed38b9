"""What one job of a launcher trains: several runs, each in its own folder as if it had been trained alone."""

import errno
import json
import os
import pickle
import shutil
import signal
import subprocess
import threading
import weakref
from pathlib import Path

import pytest
import torch
from finished_runs import record, run_folders, states
from hydra.core.plugins import Plugins

from gradflow import CONF
from gradflow.data.datamodule import ArrayDataModule
from gradflow.errors import CannotWrite, ConfigError, RunsFailed
from gradflow.runs.planned import as_text, planned_configuration, write_planned
from gradflow.runs.record import State
from gradflow.signals import Signalled
from gradflow.sweep import jobs, plan
from gradflow.training import process

SMALL = ("width=8", "blocks=2", "trainer=cpu", "trainer.max_epochs=2", "callbacks.pictures=null", "threads=1")


def test_a_job_takes_runs_in_their_order_until_it_has_enough(tmp_path):
    def planned(runs_per_job):
        folders = [tmp_path / c / f"seed={s}" for s in range(3) for c in ("a", "b")]
        return [plan.PlannedRun(folder, runs_per_job) for folder in folders]

    def named(runs_per_job):
        return [["/".join(run.folder.parts[-2:]) for run in one] for one in jobs.jobs(planned(runs_per_job))]

    order = [f"{c}/seed={s}" for s in range(3) for c in ("a", "b")]
    assert named(1) == [[name] for name in order]
    assert named(4) == [order[:4], order[4:]]
    assert named(99) == [order]
    assert jobs.jobs([]) == []
    folders = [run.folder for run in planned(2)[:2]]
    described = json.loads(jobs.described(folders, first=2, of=9, says=Path("/elsewhere/said")))
    assert described == {"runs": [".", "../../b/seed=0"], "first": 2, "of": 9, "says": "/elsewhere/said"}
    assert json.loads(jobs.described(folders, first=2, of=9))["says"] is None


def test_a_job_of_several_runs_trains_each_with_its_own_configuration(command, tmp_path, monkeypatch):
    options = ("-m", "model=mlp", *SMALL, "activation=relu,tanh", "seed=0,1", "precision=64")
    assert command(*options, f"output_dir={tmp_path}/apart/outputs").status == 0
    launched = []
    from hydra._internal.core_plugins.basic_launcher import BasicLauncher

    launch = BasicLauncher.launch
    monkeypatch.setattr(
        BasicLauncher, "launch", lambda self, jobs, **n: launched.extend(jobs) or launch(self, jobs, **n)
    )
    packed = command(*options, "runs_per_job=3", f"output_dir={tmp_path}/packed/outputs")
    assert packed.status == 0, packed
    assert len(launched) == 2
    for n in range(1, 5):
        assert f"run {n}/4" in packed.out
    every = [run_folders(tmp_path / where) for where in ("packed", "apart")]
    assert len(every[0]) == 4
    for one, other in zip(*every, strict=True):
        assert one.relative_to(tmp_path / "packed") == other.relative_to(tmp_path / "apart")
        assert record(one)["metrics"] == record(other)["metrics"]


def test_a_job_may_hold_runs_of_several_studies(command, tmp_path):
    options = ("-m", "model=mlp", *SMALL, "trainer.max_epochs=1", "seed=0,1", "runs_per_job=3")
    outcome = command(*options, 'study=plain,"it\'s \\\\ odd"')
    assert outcome.status == 0, outcome
    states = {f"{run.parts[-3]} {run.name}": record(run)["state"] for run in tmp_path.glob("outputs/*/*/seed=*")}
    assert states == {f"{study} seed={n}": State.FINISHED for study in ("plain", "it's \\\\ odd") for n in (0, 1)}


def test_a_run_that_fails_does_not_keep_its_job_from_the_others(command, tmp_path, monkeypatch):
    from gradflow.training import build

    make = build.module

    def fail(cfg, arrays):
        if cfg.activation.name == "relu" and cfg.seed == 0 and arrays.chunk_size:
            raise ValueError("broken on purpose")
        return make(cfg, arrays)

    monkeypatch.setattr(build, "module", fail)
    options = ("-m", "model=mlp", *SMALL, "activation=relu,tanh", "seed=0,1", "runs_per_job=4")
    assert command(*options).status == 1
    assert sorted(states(tmp_path)) == [State.FAILED] + [State.FINISHED] * 3


@pytest.mark.parametrize(
    ("sent", "slurm_says", "is_queued_again"),
    [
        (signal.SIGUSR2, "RUNNING", True),  # preemption, or the time limit, as the launcher asks Slurm to tell it
        (signal.SIGTERM, "RUNNING", True),  # preemption where Slurm only says so
        (signal.SIGTERM, "COMPLETING", False),  # scancel, or Slurm has queued it again by itself
        (signal.SIGTERM, "", False),  # Slurm does not know it any longer
        (signal.SIGTERM, None, False),  # not on Slurm: `kill`
        (signal.SIGINT, "RUNNING", False),
    ],
)
def test_only_a_job_that_is_about_to_lose_its_node_is_queued_again(
    compose, tmp_path, monkeypatch, sent, slurm_says, is_queued_again
):
    folder = tmp_path / "study" / "config" / "seed=0"
    write_planned(folder, as_text(compose()), [])
    monkeypatch.setenv(jobs.JOB, jobs.described([folder], first=1, of=1))
    asked = []
    squeue = tmp_path / "squeue"
    squeue.write_text(f'#!/bin/sh\n[ "$2" = --jobs=7 ] && echo {slurm_says}\n')
    squeue.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    if slurm_says is not None:
        monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setattr(jobs, "run", lambda *_, **__: signal.raise_signal(sent))
    before = {number: signal.getsignal(number) for number in (signal.SIGUSR2, signal.SIGTERM, signal.SIGINT)}
    slurm_ends_the_job = ["sh", "-c", "kill -TERM $$; echo again"]  # while scontrol waits for the answer
    signal.signal(signal.SIGUSR2, lambda *_: asked.append(subprocess.check_output(slurm_ends_the_job, text=True)))
    signal.signal(signal.SIGTERM, lambda *_: None)  # as submitit does
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(Signalled) as ending:
            jobs.run_job(folder)
        is_ignored = signal.getsignal(signal.SIGTERM) == signal.SIG_IGN
        assert is_ignored == is_queued_again
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert ending.value.code == 128 + sent
    assert asked == (["again\n"] if is_queued_again else [])


class HoldsALock(RuntimeError):
    """Cannot be pickled."""

    def __init__(self, message):
        super().__init__(message)
        self.lock = threading.Lock()


class NeedsTwo(RuntimeError):
    """Can be pickled, but not read back."""

    def __init__(self, message, _code=7, *, detail):
        super().__init__(message)


@pytest.mark.parametrize(
    ("error", "passed_on"),
    [
        (HoldsALock("broken"), RunsFailed("HoldsALock: broken")),
        (NeedsTwo("broken", detail="why"), RunsFailed("NeedsTwo: broken")),
        (KeyError("broken"), KeyError("broken")),
        (CannotWrite(errno.ENOSPC, "No space left on device", "a"), CannotWrite(errno.ENOSPC, "No space left", "a")),
    ],
    ids=repr,
)
def test_what_a_run_raises_can_be_passed_on_by_any_launcher(compose, tmp_path, monkeypatch, error, passed_on):
    write_planned(tmp_path, as_text(compose()), [])
    monkeypatch.setenv(jobs.JOB, jobs.described([tmp_path], first=1, of=1))

    def fail(*_, **__):
        raise error

    monkeypatch.setattr(jobs, "run", fail)
    with pytest.raises(type(passed_on)) as raised:
        jobs.run_job(tmp_path)
    again = pickle.loads(pickle.dumps(raised.value))
    assert type(again) is type(passed_on)
    assert str(again).startswith(str(passed_on).partition(" (")[0])


def test_each_run_trains_what_was_planned_whatever_becomes_of_the_options(command, tmp_path, tiny, monkeypatch):
    conf = tmp_path / "conf"
    shutil.copytree(CONF, conf)
    train = jobs.run

    def edit_and_train(cfg, folder, **options):
        (conf / "activation" / "tanh.yaml").write_text("name: tanh\n_target_: torch.nn.Sigmoid\n")
        (conf / "activation" / "relu.yaml").write_text("{broken")
        (conf / "train.yaml").write_text("[[[")
        return train(cfg, folder, **options)

    monkeypatch.setattr(jobs, "run", edit_and_train)
    outcome = command("-cp", str(conf), "-m", "activation=relu,tanh", "seed=0,1", "blocks=1", *tiny)
    assert outcome.status == 0, outcome
    assert sorted(states(tmp_path)) == [State.FINISHED] * 4
    for run in run_folders(tmp_path):
        target = {"relu": "torch.nn.ReLU", "tanh": "torch.nn.Tanh"}[record(run)["activation"]]
        assert planned_configuration(run).activation["_target_"] == target


@pytest.mark.parametrize("launcher", [pytest.param("joblib", marks=pytest.mark.slow)])
def test_a_configuration_of_ones_own_reaches_every_job(command, tmp_path, tiny, launcher):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "mine.yaml").write_text("defaults: [train, _self_]\nblocks: 2\nmodel: {norm: none}\n")
    own = ("-cn", "mine", "--config-dir", "own", f"hydra/launcher={launcher}", "runs_per_job=2", "seed=4,5,6")
    outcome = command(*own, *tiny)
    assert outcome.status == 0, outcome
    assert states(tmp_path) == [State.FINISHED] * 3
    assert {planned_configuration(run).model.norm for run in run_folders(tmp_path)} == {"none"}


def test_launchers_get_hydras_own_settings_alone(command, monkeypatch):
    Plugins.instance()  # loads the launchers, once in a process
    from hydra._internal.core_plugins.basic_launcher import BasicLauncher

    asked = []
    monkeypatch.setattr(BasicLauncher, "launch", lambda self, jobs, **_: asked.append((self.config, jobs)) or [])
    outcome = command("blocks=1", "width=4", "study='it\\'s'")
    ((config, (overrides,)),) = asked
    assert outcome.status == 0, outcome
    assert [one.partition("=")[0] for one in overrides] == [
        "hydra.sweep.dir",
        "hydra.sweep.subdir",
        f"hydra.job.env_set.{jobs.JOB}",
    ]
    assert config.hydra.sweep.dir == "outputs/it's"
    assert config.study == "it's"


def test_outside_a_sweep_nothing_is_trained(tmp_path):
    with pytest.raises(ConfigError, match=r"hydra\.mode=RUN"):
        jobs.run_job(tmp_path)


@pytest.mark.parametrize("fails", [False, True])
def test_what_ended_runs_hold_on_a_gpu_does_not_add_up(command, tmp_path, monkeypatch, fails):
    """Python would keep them until its collector comes by, and the error of a run that failed as long as the job."""
    left: list[int] = []
    held: list[weakref.ref] = []
    setup, freed = ArrayDataModule.setup, process.free_gpu

    def held_by_data(self, stage=None):
        setup(self, stage)
        held.append(weakref.ref(self._tensors[0]))

    def counted():
        monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
        freed()
        monkeypatch.setattr(torch.cuda, "is_initialized", lambda: False)
        left.append(sum(one() is not None for one in held))

    monkeypatch.setattr(ArrayDataModule, "setup", held_by_data)
    monkeypatch.setattr(jobs, "free_gpu", counted)
    own = ("+callbacks.lost._target_=own_callbacks.OutOfMemory",) if fails else ()
    assert command("-m", "model=mlp", *SMALL, "seed=0,1", *own).status == int(fails)
    assert held
    assert len(left) == 2
    assert left[1] <= left[0] <= 1  # nothing adds up
