"""Failures that may pass go on from the last complete epoch; those of the code start again."""

import errno

import own_activations
import pytest
import torch
from finished_runs import left_by, only_run, record, steps
from torch import distributed, multiprocessing

from gradflow.errors import ConfigError
from gradflow.training.failures import may_pass

RUN = (
    *("trainer=cpu", "model=mlp", "width=8", "blocks=1", "data.batch_size=399", "trainer.max_epochs=6", "threads=1"),
    *("activation=custom", "activation._target_=own_activations.Breaking", "callbacks.pictures=null"),
)
UPDATES = 3  # in an epoch


def caused_by(cause):
    error = RuntimeError("an error of the code that wraps another")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:117] . DefaultCPUAllocator: can't allocate memory: you tried to"),
        MemoryError(),
        *(OSError(number, "") for number in (errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.ESTALE, errno.EACCES)),
        ConnectionResetError("Connection reset by peer"),
        torch.AcceleratorError("CUDA error: an illegal memory access was encountered"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        distributed.DistBackendError("NCCL error in: ProcessGroupNCCL.cpp"),
        RuntimeError("[../gloo/transport/tcp/pair.cc:547] Connection closed by peer [127.0.0.1]:51018"),
        multiprocessing.ProcessExitedException("died", error_index=0, error_pid=1, exit_code=-9),
        multiprocessing.ProcessRaisedException("torch.OutOfMemoryError: CUDA out of memory", 0, 1),
        caused_by(OSError(errno.ENOSPC, "No space left on device")),
    ],
)
def test_what_fails_for_lack_of_memory_disk_or_devices_may_pass(error):
    assert may_pass(error)


@pytest.mark.parametrize(
    "error",
    [
        *(TypeError(), ValueError("out of memory"), AssertionError(), ZeroDivisionError(), KeyError("x")),
        *(RuntimeError("mat1 and mat2 shapes cannot be multiplied"), ConfigError("blocks=0")),
        *(FileNotFoundError(errno.ENOENT, "no such file"), IsADirectoryError(errno.EISDIR, "is a directory")),
        torch.AcceleratorError("CUDA error: device-side assert triggered"),
        multiprocessing.ProcessRaisedException("ValueError: broken in process 1", 0, 1),
        caused_by(ValueError()),
    ],
)
def test_what_fails_in_the_code_does_not_pass_by_itself(error):
    assert not may_pass(error)


@pytest.fixture
def failing_in_epoch_4(command, monkeypatch):
    """`failing_in_epoch_4(error)`: the run raises in its fourth epoch; the outcome of the same command afterwards."""

    def fail(error):
        for name, value in {"error": error, "after": 3 * UPDATES + 1, "seen": 0}.items():
            monkeypatch.setattr(own_activations.Breaking, name, value)
        assert command(*RUN).status == 1
        monkeypatch.setattr(own_activations.Breaking, "error", None)
        return command(*RUN)

    return fail


def test_out_of_memory_once_ends_as_if_it_had_not_been(command, tmp_path, failing_in_epoch_4):
    assert command(*RUN, f"output_dir={tmp_path}/whole/outputs").status == 0
    again = failing_in_epoch_4(torch.OutOfMemoryError("CUDA out of memory"))
    assert (again.status, "resuming after epoch 3" in again.out) == (0, True)
    run, whole = only_run(tmp_path), only_run(tmp_path / "whole")
    assert left_by(run) == left_by(whole)
    found = record(run)
    assert (found["state"], found["attempts"], found["error"]) == ("finished", 2, None)


def test_the_time_of_both_attempts_counts(tmp_path, failing_in_epoch_4, monkeypatch):
    clocks = []

    class Clock:
        started = "2026-01-01T00:00:00+00:00"

        def __init__(self, *, after=None):
            clocks.append(after)
            self.seconds = (after or 0.0) + 10.0

    monkeypatch.setattr("gradflow.training.run.Clock", Clock)
    assert failing_in_epoch_4(OSError(errno.ENOSPC, "No space left on device")).status == 0
    assert clocks == [None, 10.0]
    assert record(only_run(tmp_path))["duration_s"] == 20.0


def test_a_failure_of_the_code_starts_from_the_beginning(tmp_path, failing_in_epoch_4):
    again = failing_in_epoch_4(ValueError("broken"))
    assert (again.status, "resuming" in again.out) == (0, False)
    assert len(steps(only_run(tmp_path))["train/loss"]) == 6


def test_a_failure_that_may_pass_is_recorded_as_one(command, tmp_path, monkeypatch):
    for error, passes in ((MemoryError(), True), (KeyError("x"), False)):
        monkeypatch.setattr(own_activations.Breaking, "error", error)
        monkeypatch.setattr(own_activations.Breaking, "after", 0)
        command(*RUN)
        assert record(only_run(tmp_path))["error"]["may_pass"] is passes
