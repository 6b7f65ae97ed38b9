"""What every test may use: composed configurations, and train.py's command line inside this process."""

import contextlib
import io
import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import hydra
import own_processes
import pytest
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf, open_dict

from gradflow import CONF
from gradflow.sweep import cli, side_by_side

# A session started in the background (nohup, &) ignores these, and so would every process that it starts.
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

TINY = ("trainer=cpu", "width=4", "trainer.max_epochs=1", "data.batch_size=600", "callbacks.pictures=null")


@pytest.fixture(autouse=True)
def _signals_restored() -> Iterator[None]:
    """No test inherits another's handlers: a command that was interrupted once is killed at the second time."""
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL, signal.SIGUSR2: signal.SIG_DFL}
    for number, handler in usual.items():
        signal.signal(number, handler)
    yield
    _call_off_kills()


@pytest.fixture(autouse=True)
def _processes_ended() -> Iterator[None]:
    """No test inherits another's processes."""
    yield
    own_processes.end_all()


def _call_off_kills() -> None:
    """A second signal has the process killed unless it ends soon, which that of the tests does not."""
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.cancel()


class Outcome(NamedTuple):
    """A command's exit status, and what it printed."""

    status: int
    out: str
    err: str


@pytest.fixture(scope="session")
def compose_run() -> Callable[..., tuple[DictConfig, dict[str, str | None]]]:
    """`compose_run(*overrides)`: the configuration of a run, and the option chosen in each group."""
    return _compose_run


@pytest.fixture
def compose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., DictConfig]:
    """`compose(*overrides)`: the configuration of a run, downloads and outputs inside `tmp_path`."""
    monkeypatch.setenv("GRADFLOW_DATA", str(tmp_path / "data"))
    return lambda *overrides: _compose_run(f"output_dir='{tmp_path / 'outputs'}'", *overrides)[0]


@pytest.fixture(scope="session")
def command_in() -> Callable[..., Outcome]:
    """`command_in(folder, *arguments)`: `python train.py *arguments` with `folder` as working directory.

    It runs in this process, whose state is restored afterwards.
    """
    return _command_in


@pytest.fixture
def command(tmp_path: Path) -> Callable[..., Outcome]:
    """`command(*arguments)`: the same with `tmp_path` as working directory, so that runs are in `tmp_path/outputs`."""
    return lambda *arguments: _command_in(tmp_path, *arguments)


@pytest.fixture(scope="session")
def tiny() -> tuple[str, ...]:
    """Overrides of a run that takes a fraction of a second."""
    return TINY


def _compose_run(*overrides: str) -> tuple[DictConfig, dict[str, str | None]]:
    with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = hydra.compose("train", overrides=list(overrides), return_hydra_config=True)
    choices = OmegaConf.to_container(cfg.hydra.runtime.choices)
    with open_dict(cfg):
        del cfg["hydra"]
    return cfg, choices


def _command_in(folder: Path, *arguments: str) -> Outcome:
    out, err = io.StringIO(), io.StringIO()
    status = 0
    with (
        _process_restored(),
        contextlib.chdir(folder),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        sys.argv = ["train.py", *arguments]
        os.environ["GRADFLOW_DATA"] = str(folder / "data")
        try:
            cli.main()
        except SystemExit as ending:
            status = int(ending.code or 0)
    return Outcome(status, out.getvalue(), err.getvalue())


@contextlib.contextmanager
def _process_restored() -> Iterator[None]:
    """Restores everything that a program's entry point may set for the whole process."""
    root = logging.getLogger()
    environment, arguments, handlers, level = dict(os.environ), sys.argv, list(root.handlers), root.level
    signals = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    hydra_config = HydraConfig.instance().cfg
    try:
        # Runs stay in this process, where tests look into them and stop them.
        with warnings.catch_warnings(), patch.object(side_by_side, "cpu_count", return_value=1):
            yield
    finally:
        GlobalHydra.instance().clear()
        HydraConfig.instance().cfg = hydra_config
        for number, handler in signals.items():
            signal.signal(number, handler)
        _call_off_kills()
        for handler in set(root.handlers) - set(handlers):
            root.removeHandler(handler)
        root.setLevel(level)
        sys.argv = arguments
        os.environ.clear()
        os.environ.update(environment)
