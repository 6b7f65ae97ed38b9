"""Which sweeps are trained side by side, and by how many workers."""

import subprocess
import sys

import pytest
import torch
from finished_runs import record, run_folders
from omegaconf import OmegaConf

from gradflow import threads
from gradflow.sweep import side_by_side


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    """Eight idle cores with 64 GiB and no GPU, whose user has asked for nothing."""
    for name in (threads.COUNT, threads.OWN_COUNT):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(side_by_side, "cpu_count", lambda: 8)
    monkeypatch.setattr(side_by_side, "free_memory", lambda: 64 * 2**30)
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: False)


def config(launcher="basic", *, typed=(), **values):
    settings = {"runtime": {"choices": {"hydra/launcher": launcher}}, "overrides": {"hydra": list(typed)}}
    trainer = {"accelerator": "auto", "devices": 1} | values.pop("trainer", {})
    return OmegaConf.create({"hydra": settings, "trainer": trainer, "threads": None, **values})


def test_every_core_has_a_worker_but_no_worker_is_without_a_job():
    assert side_by_side.workers(config(), jobs=30) == 8
    assert side_by_side.workers(config(), jobs=3) == 3
    assert side_by_side.workers(config(), jobs=1) == 1


def test_workers_share_cores_as_the_user_wants_and_memory_as_there_is(monkeypatch):
    assert side_by_side.workers(config(threads=3), jobs=30) == 2
    monkeypatch.setattr(side_by_side, "free_memory", lambda: 9 * 2**30)
    assert side_by_side.workers(config(), jobs=30) == 4
    monkeypatch.setattr(side_by_side, "free_memory", lambda: 2**20)
    assert side_by_side.workers(config(), jobs=30) == 1
    monkeypatch.setattr(side_by_side, "free_memory", lambda: 64 * 2**30)
    monkeypatch.setenv(threads.OWN_COUNT, "4")
    assert side_by_side.workers(config(), jobs=30) == 2


@pytest.mark.parametrize(
    "one",
    [
        config("joblib", typed=["hydra/launcher=joblib"]),
        config("slurm", typed=["hydra/launcher=slurm"]),
        config(typed=["hydra/launcher=basic"]),
        config(trainer={"devices": 2}),
        config(trainer={"accelerator": "gpu"}),
    ],
    ids=["joblib", "slurm", "one after the other", "several devices", "a GPU"],
)
def test_a_launcher_that_was_asked_for_and_what_trains_elsewhere_stay_as_they_are(one):
    assert side_by_side.workers(one, jobs=30) == 1


def test_a_gpu_that_is_found_trains_one_run_at_a_time(monkeypatch):
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: True)
    assert side_by_side.workers(config(), jobs=30) == 1
    assert side_by_side.workers(config(trainer={"accelerator": "cpu"}), jobs=30) == 8


@pytest.mark.slow
def test_a_sweep_is_trained_by_several_processes_with_a_thread_each(tmp_path, tiny):
    program = "import sys; from gradflow.sweep import cli, side_by_side; side_by_side.cpu_count = lambda: 2; cli.main()"
    words = [*tiny, "seed=0,1,2", f"output_dir={tmp_path}/outputs"]
    done = subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert "3 runs to train, 2 at a time, in" in done.stdout
    records = [record(run) for run in run_folders(tmp_path)]
    assert [one["state"] for one in records] == ["finished"] * 3
    assert [one["provenance"]["threads"] for one in records] == [1] * 3
