"""Every schedule's learning rate at every update, against formulas by hand, however updates are made; exact resume."""

import math

import numpy as np
import pytest
import torch
from finished_runs import left_by, only_run, record, steps
from interruptions import interrupt_after
from torch.optim.lr_scheduler import ReduceLROnPlateau, StepLR
from torch.optim.optimizer import register_optimizer_step_pre_hook

from gradflow.errors import ConfigError
from gradflow.runs.events import curves
from gradflow.training import build
from gradflow.training.schedules import RiseAndFall, Schedule

LR, EPOCHS, BATCHES = 0.02, 3, 38
SMALL = ("model=mlp", "width=8", "blocks=2", "trainer=cpu", "callbacks=none", "threads=1")
SMALL = (*SMALL, f"trainer.max_epochs={EPOCHS}", "optimizer=sgd_momentum", f"optimizer.lr={LR}")
SLOW = pytest.mark.slow
NEVER_BETTER = ("schedule=plateau", "schedule.mode=max", "schedule.patience=0")  # of a loss that falls


def warmup_cosine(updates, warmup, lowest=0.0):
    rising = [LR * (t + 1) / (warmup + 1) for t in range(warmup)]
    falling = np.arange(updates - warmup) / (updates - warmup)
    return [*rising, *(lowest + (LR - lowest) * np.cos(np.pi * falling / 2) ** 2)]  # cos²(x/2) = (1 + cos x) / 2


def one_cycle(updates):
    first, last = LR / 25, LR / 25 / 1e4
    top = 0.3 * updates - 1  # the update at which it is highest, not always a whole number
    up = [first + (LR - first) * math.sin(math.pi / 2 * t / top) ** 2 for t in range(updates) if t <= top]
    down = (updates - 1) - top
    return [*up, *(LR + (last - LR) * math.sin(math.pi / 2 * (t - top) / down) ** 2 for t in range(len(up), updates))]


def by_epoch(updates, *rates):
    return np.repeat(rates, updates // EPOCHS).tolist()


CASES = {
    "schedule=none": lambda n: [LR] * n,
    "schedule=cosine": lambda n: by_epoch(n, LR, LR * 0.75, LR * 0.25),  # (1 + cos 60°) / 2, (1 + cos 120°) / 2
    "schedule=step schedule.step_size=2": lambda n: by_epoch(n, LR, LR, LR * 0.1),
    " ".join(NEVER_BETTER): lambda n: by_epoch(n, LR, LR, LR * 0.1),
    "schedule=warmup_cosine schedule.warmup=7": lambda n: warmup_cosine(n, 7),
    "schedule=warmup_cosine schedule.warmup=0.1 schedule.eta_min=0.005": lambda n: warmup_cosine(
        n, round(0.1 * n), 0.005
    ),
    "schedule=one_cycle": one_cycle,
}


@pytest.fixture
def rates():
    """The learning rate at each update of this process."""
    found = []
    hook = register_optimizer_step_pre_hook(lambda optimizer, *_: found.append(optimizer.param_groups[0]["lr"]))
    yield found
    hook.remove()


@pytest.mark.parametrize(
    ("how", "an_epoch"),
    [
        ("steps_per_execution=16", BATCHES),
        ("trainer.accumulate_grad_batches=5", 8),
        pytest.param("steps_per_execution=1", BATCHES, marks=SLOW),
        pytest.param("+trainer.limit_train_batches=11", 11, marks=SLOW),
        pytest.param("+trainer.limit_train_batches=0.5", 19, marks=SLOW),
    ],
)
@pytest.mark.parametrize("schedule", CASES)
def test_the_learning_rate_of_every_update(command, rates, schedule, how, an_epoch):
    assert command(*SMALL, *schedule.split(), how).status == 0
    updates = EPOCHS * an_epoch
    assert rates[-updates:] == pytest.approx(CASES[schedule](updates), rel=1e-9)


RESUMED = [
    (schedule, *steps) for schedule in ("warmup_cosine", "one_cycle", "plateau") for steps in ((16, 16), (1, 16))
]


@pytest.mark.parametrize(
    ("schedule", "first", "then"), [("one_cycle", 16, 1), *(pytest.param(*case, marks=SLOW) for case in RESUMED)]
)
def test_a_run_interrupted_in_mid_schedule_ends_as_if_it_had_not_been(
    command, tmp_path, monkeypatch, schedule, first, then
):
    options = (*SMALL, *(NEVER_BETTER if schedule == "plateau" else [f"schedule={schedule}"]), "trainer.max_epochs=4")
    assert command(*options, f"output_dir={tmp_path}/whole/outputs").status == 0
    assert interrupt_after(command, monkeypatch, 3, *options, f"steps_per_execution={first}").status == 130
    assert "resuming after epoch 2" in command(*options, f"steps_per_execution={then}").out
    ended, whole = only_run(tmp_path), only_run(tmp_path / "whole")
    assert left_by(ended) == left_by(whole)
    for part in ("lr_schedulers", "optimizer_states"):
        assert str(saved(ended)[part]) == str(saved(whole)[part])


def saved(run):
    return torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)


def test_the_learning_rate_in_tensorboard(command, rates, tmp_path):
    monitor = "+callbacks.lr._target_=lightning.pytorch.callbacks.LearningRateMonitor"
    assert command(*SMALL, "schedule=one_cycle", monitor).status == 0
    curve = curves(only_run(tmp_path))["lr-SGD"]
    assert curve.steps.tolist() == list(range(EPOCHS * BATCHES))
    assert curve.values.tolist() == pytest.approx(rates[-EPOCHS * BATCHES :], rel=1e-6)


def test_a_class_of_torchs_own_is_told_what_it_follows_and_how_many_updates_an_epoch_has(command, tmp_path):
    target = "schedule._target_=torch.optim.lr_scheduler"
    assert command(*SMALL, f"{target}.ReduceLROnPlateau", "+schedule.monitor=train/acc").status == 0
    one = ("+schedule.max_lr=0.1", f"+schedule.epochs={EPOCHS}")
    assert command(*SMALL, f"{target}.OneCycleLR", *one, "+schedule.interval=step").status == 0
    own_total = ("+schedule.max_lr=0.1", f"+schedule.total_steps={EPOCHS}")
    assert command(*SMALL, f"{target}.OneCycleLR", *own_total).status == 0  # once an epoch, if that is wanted


@pytest.mark.parametrize(
    ("make", "options", "said"),
    [
        (lambda optimizer: ReduceLROnPlateau(optimizer), {}, r"schedule\.monitor=null: .*\+schedule\.monitor=val/loss"),
        (lambda optimizer: StepLR(optimizer, 1), {"monitor": "val/loss"}, r"StepLR follows no score; leave it out"),
        (None, {"monitor": "val/loss", "interval": "step"}, r"schedule\.interval=step: .*schedule\.interval=epoch"),
        (None, {"interval": "batch"}, r"schedule\.interval=batch: choose one of epoch, step"),
    ],
)
def test_a_schedule_that_cannot_step(make, options, said):
    with pytest.raises(ConfigError, match=said):
        Schedule(make, **options).of(torch.optim.SGD([torch.zeros(1)], lr=0.1))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["schedule=warmup_cosine", "schedule.warmup=1.5"], r"schedule\.warmup=1\.5: .*below the run's 380"),
        (["schedule=warmup_cosine", "schedule.warmup=380"], r"schedule\.warmup=380: .*schedule\.warmup=0\.05"),
        (["schedule=warmup_cosine", "schedule.eta_min=0.5"], r"schedule\.eta_min=0\.5: .*optimizer\.lr=0\.001"),
        (["schedule=one_cycle", "schedule.interval=epoch"], r"OneCycleLR: .*use schedule\.interval=step"),
        (["schedule=one_cycle", "~schedule.interval"], r"OneCycleLR: .*use \+schedule\.interval=step"),
    ],
)
def test_a_schedule_that_does_not_fit_the_run(compose, options, said):
    cfg = compose("model=mlp", *options)
    with pytest.raises(ConfigError, match=said):
        build.module(cfg, build.data(cfg)).configure_optimizers()


def test_a_warm_up_ends_where_the_cosine_begins_and_the_cosine_at_its_floor():
    factor = RiseAndFall(100, warmup=9, floor=0.25)
    assert [factor(t) for t in (0, 8, 9, 100, 1000)] == pytest.approx([0.1, 0.9, 1.0, 0.25, 0.25])
    assert factor(9 + 91 / 2) == pytest.approx(0.625)
    assert RiseAndFall(3, warmup=0, floor=0.0)(0) == 1.0


def test_what_depends_on_the_length_of_the_run_says_so(compose):
    for schedule, key in (("warmup_cosine", "epochs"), ("one_cycle", "epochs"), ("cosine", "T_max")):
        assert compose(f"schedule={schedule}", "trainer.max_epochs=7").schedule[key] == 7
    assert "max_epochs" not in str(compose("schedule=plateau")._get_node("schedule"))


def test_early_stopping_may_follow_any_score_of_an_epoch(command, tmp_path):
    stop = ("callbacks=early_stopping", "callbacks.pictures=null", "callbacks.early_stopping.mode=max")
    options = (*(one for one in SMALL if one != "callbacks=none"), *stop, "trainer.max_epochs=9")
    assert command(*options, "callbacks.early_stopping.monitor=train/loss").status == 0  # falls, and never rises
    run = only_run(tmp_path)
    assert len(steps(run)["train/loss"]) == 4
    assert record(run)["state"] == "finished"
