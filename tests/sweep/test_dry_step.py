"""Everything at work once before a sweep: it finds what building cannot and leaves no trace."""

import logging
import random
import re
import signal

import numpy as np
import pytest
import torch
from lightning.pytorch.callbacks import Callback
from own_callbacks import Unreadable

from gradflow.errors import ConfigError
from gradflow.signals import Signalled
from gradflow.sweep.checks import dry_step
from gradflow.training import build

SMALL = ("model=mlp", "width=8", "blocks=2", "trainer=cpu", "callbacks.pictures=null")


@pytest.fixture(autouse=True)
def _nothing_tried(monkeypatch):
    monkeypatch.setattr(dry_step, "_tried", set())


def check(cfg):
    dry_step.check(cfg, build.data(cfg))


@pytest.mark.parametrize(
    "options",
    [
        ["model=conv", "width=4", "activation=rrelu", "model.dropout=0.5"],
        ["schedule=one_cycle", "trainer.accumulate_grad_batches=3"],
        ["callbacks=early_stopping", "precision=bf16"],
        ["data=diabetes", "schedule=plateau", "precision=64", "trainer.gradient_clip_val=1"],
        ["data=moons", "data.batch_size=1", "logger=none", "+trainer.fast_dev_run=true", "+trainer.profiler=simple"],
    ],
    ids=" ".join,
)
def test_it_leaves_no_trace(compose, tmp_path, monkeypatch, capfd, options):
    monkeypatch.chdir(tmp_path)
    cfg = compose(*SMALL, *options)
    before = state()
    check(cfg)
    assert state() == before
    assert not list(tmp_path.iterdir())
    assert capfd.readouterr() == ("", "")


def state():
    """What a process has of random numbers, signals and logging."""
    numbers = (torch.get_rng_state().tolist(), str(np.random.get_state()), random.getstate())  # noqa: NPY002
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    return numbers, handlers, logging.root.manager.disable, torch.is_grad_enabled()


def test_one_structure_is_tried_once(compose, monkeypatch):
    tried = []
    monkeypatch.setattr(dry_step, "_run", tried.append)
    for options in (
        *(["optimizer.lr=0.1"], ["optimizer.lr=0.2"], ["blocks=3"], ["seed=7"], ["data.batch_size=64"], ["study=b"]),
        *(["activation=tanh"], ["activation=tanh", "optimizer.lr=0.3"], ["optimizer=sgd"]),
        *(["optimizer.weight_decay=0.1"], ["steps_per_execution=1"], ["callbacks=none"]),
    ):
        check(compose("model=mlp", "width=8", "trainer=cpu", *options))
    assert len(tried) == 6


def test_a_failure_is_tried_again(compose):
    cfg = compose(*SMALL, "activation=custom", "activation._target_=own_activations.BreakingAtOnce")
    for _ in range(2):
        with pytest.raises(ConfigError, match="BreakingAtOnce"):
            check(cfg)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ["activation=custom", "activation._target_=own_activations.BreakingAtOnce"],
            "activation._target_=own_activations.BreakingAtOnce: fails on the first batches (RuntimeError: cannot be",
        ),
        (["model._target_=own_networks.Untrainable"], "model=mlp: fails on the first batches (ValueError: no training"),
        (
            ["optimizer._target_=own_optimizers.Untrainable", "~optimizer.betas", "~optimizer.eps", "~optimizer.fused"],
            "optimizer._target_=own_optimizers.Untrainable: fails on the first batches (KeyError: 'momentum')",
        ),
        (
            ["schedule._target_=own_optimizers.Endless"],
            "schedule._target_=own_optimizers.Endless: fails on the first batches (ZeroDivisionError",
        ),
        (
            ["+callbacks.more._target_=lightning.pytorch.callbacks.LearningRateMonitor", "logger=none"],
            "callbacks.more._target_=lightning.pytorch.callbacks.LearningRateMonitor: fails on the first batches",
        ),
    ],
)
def test_the_part_that_fails_is_named(compose, options, said):
    with pytest.raises(ConfigError, match=re.escape(said)):
        check(compose(*SMALL, *options))


def test_what_a_resumed_run_could_not_read_is_told_before_it_starts(compose, monkeypatch):
    monkeypatch.setattr(dry_step, "is_known", lambda callback: True)
    with pytest.raises(ConfigError, match="the state of Unreadable cannot be read back from a checkpoint"):
        check(compose(*SMALL, "+callbacks.own._target_=own_callbacks.Unreadable"))


def test_callbacks_of_your_own_are_not_called(compose, monkeypatch):
    monkeypatch.setattr(Unreadable, "on_fit_start", lambda *_: pytest.fail("it was called"), raising=False)
    assert Unreadable.on_fit_start is not Callback.on_fit_start
    check(compose(*SMALL, "+callbacks.own._target_=own_callbacks.Unreadable"))


def test_what_a_callback_of_your_own_logs_may_be_followed(command, tmp_path):
    own = ("+callbacks.own._target_=own_callbacks.LogsItsOwn", "callbacks.early_stopping.monitor=own/score")
    options = (*SMALL[:-1], "callbacks=early_stopping", "callbacks.pictures=null", "callbacks.early_stopping.mode=max")
    assert command(*(one for one in options if one != "callbacks.pictures=null"), *own).status == 0


def test_a_run_that_diverges_at_once_is_a_result(compose):
    check(compose(*SMALL, "optimizer.lr=1e38"))


@pytest.mark.parametrize("ending", [KeyboardInterrupt(), Signalled(128 + signal.SIGTERM)], ids=str)
def test_what_ends_the_program_ends_it_as_such(compose, monkeypatch, ending):
    def end(*_arguments):
        raise ending

    monkeypatch.setattr("gradflow.training.module.ActivationModule.training_step", end)
    with pytest.raises(type(ending)):
        check(compose(*SMALL, "steps_per_execution=1"))
    assert signal.getsignal(signal.SIGINT) is not signal.SIG_IGN
