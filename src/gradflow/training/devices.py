"""Several devices in one run, each with a process of its own.

The process that the user started is the first: it holds the run folder and alone writes to it. It starts the others
itself, because Lightning's launchers either run the command again, which would plan the whole sweep a second time, or
move the training out of the process that receives signals.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import lightning as L
import torch.distributed as dist
from lightning.fabric.plugins.environments.lightning import find_free_network_port
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.plugins.environments import LightningEnvironment
from torch import multiprocessing

from gradflow import signals

# What every other process does: build everything, call `ready`, take part in the training.
Work = Callable[["OwnEnvironment", Callable[[], object]], None]

# Seconds for a lost process to end and report its error, which can take long on a busy machine; the wait ends with the
# process.
LAST_WORDS = 60.0
FOR_THE_FIRST = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)  # no other process gets these


class OwnEnvironment(LightningEnvironment):
    """Tells Lightning which process of a run this is and where the processes connect.

    Lightning takes both from the environment, where Slurm, `srun` or `torchrun` may claim a rank for a process that
    trains a run of its own; it then writes neither curves nor warnings.

    Args:
        rank: 0 for the first process, which may be the only one.
        port: where the processes connect; None if there is one.
    """

    def __init__(self, rank: int = 0, *, port: int | None = None) -> None:
        super().__init__()
        self._rank, self._port = rank, port
        self.set_global_rank(rank)  # at once: loggers are built before Lightning asks for the rank

    @property
    def creates_processes_externally(self) -> bool:
        return True

    @property
    def main_address(self) -> str:
        return "127.0.0.1"

    @property
    def main_port(self) -> int:
        return find_free_network_port() if self._port is None else self._port

    def local_rank(self) -> int:
        return self._rank

    def node_rank(self) -> int:
        return 0


class Signals(Callback):
    """SIGTERM ends the first process at once, and with it the others, which get no signals.

    Lightning's handler would start a collective operation while the other processes are in a different one.
    """

    def __init__(self) -> None:
        self._before = signal.getsignal(signal.SIGTERM)

    # Lightning sets its handlers after on_fit_start.
    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        signal.signal(signal.SIGTERM, self._before)

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        signal.signal(signal.SIGTERM, self._before)

    def on_test_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        signal.signal(signal.SIGTERM, self._before)


@contextmanager
def companions(processes: int, work: Work) -> Iterator[OwnEnvironment]:
    """Start the other processes of a run and wait until all are ready; yields the environment of this one, the first.

    Args:
        processes: of the run, this one included; 1 starts nothing.
        work: what each of the others does; pickled.

    Raises:
        torch.multiprocessing.ProcessException: if another process failed, with its traceback.
    """
    if processes == 1:
        try:
            yield OwnEnvironment()
        finally:
            _leave_group()  # trainer=ddp has made one
        return
    port = find_free_network_port()
    ready = multiprocessing.get_context("spawn").Semaphore(0)
    present = multiprocessing.active_children()
    try:
        with _kept_from_others():
            others = multiprocessing.start_processes(
                _companion, (work, port, ready), nprocs=processes - 1, join=False, daemon=True, start_method="spawn"
            )
        try:
            for _ in range(processes - 1):
                while not ready.acquire(timeout=0.1):
                    others.join(timeout=0)
            yield OwnEnvironment(0, port=port)
            while not others.join():
                pass
        except RuntimeError:
            others.join(timeout=LAST_WORDS)  # the error of the lost process says more than a lost connection
            raise
    finally:
        for process in set(multiprocessing.active_children()).difference(present):  # even if not all were started
            process.kill()
        _leave_group()


@contextmanager
def _kept_from_others() -> Iterator[None]:
    """Block signals: the processes that are started meanwhile stay without them, from their first moment on."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, FOR_THE_FIRST)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _companion(index: int, work: Work, port: int, ready: Any) -> None:
    signals.end_with_parent(patience_s=0.0)
    try:
        work(OwnEnvironment(index + 1, port=port), ready.release)
    finally:
        _leave_group()


def _leave_group() -> None:
    if dist.is_initialized():
        dist.destroy_process_group()
