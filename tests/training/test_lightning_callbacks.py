"""Lightning's own callbacks do what Lightning documents, against loops by hand; interrupted runs end the same."""

import own_callbacks
import pytest
import torch
import torch.nn.functional as F
from finished_runs import left_by, only_run, record, steps, weights
from interruptions import interrupt_after
from lightning.pytorch import callbacks, profilers
from torch.optim.optimizer import register_optimizer_step_post_hook

from gradflow.runs.events import curves
from gradflow.training import build
from gradflow.training.lightning_callbacks import REFUSED, WORK, refusal

SLOW = pytest.mark.slow
BATCHES, EPOCHS = 38, 2
SMALL = ("model=mlp", "width=8", "blocks=2", "trainer=cpu", "callbacks=none", "threads=1", "optimizer=sgd")
SMALL = (*SMALL, "optimizer.lr=0.1", f"trainer.max_epochs={EPOCHS}")


def own(name, **options):
    chosen = {"_target_": f"lightning.pytorch.callbacks.{name}"} | options
    return tuple(f"+callbacks.own.{key}={value}" for key, value in chosen.items())


def function(name):
    return {"_target_": "hydra.utils.get_method", "path": f"own_callbacks.{name}"}


EMA = own("EMAWeightAveraging", decay=0.9)
ACCUMULATION = own("GradientAccumulationScheduler", scheduling="{1:3}")
RATE = own("LearningRateMonitor")
THROUGHPUT = own("ThroughputMonitor", **{f"batch_size_fn.{k}": v for k, v in function("samples_of").items()})
LAMBDA = own("LambdaCallback", **{f"on_train_batch_end.{k}": v for k, v in function("note").items()})


def test_every_callback_and_profiler_of_lightnings_is_decided_on():
    named = {getattr(callbacks, name) for name in callbacks.__all__} - {callbacks.Callback}
    named |= {getattr(profilers, name) for name in profilers.__all__} & set(REFUSED)
    refused = {kind for kind in named if refusal(kind)}
    assert refused | set(WORK) == named
    assert not refused & set(WORK)
    assert refusal(callbacks.Callback) is None


@pytest.mark.parametrize("kind", [callbacks.BatchSizeFinder, callbacks.Timer, callbacks.ModelCheckpoint])
def test_a_subclass_is_refused_like_its_class(kind):
    assert refusal(type("Mine", (kind,), {})) == refusal(kind)
    assert refusal(type("Shown", (callbacks.RichModelSummary,), {})) is None


@pytest.fixture
def updates():
    """The parameters after each update of this process."""
    found = []
    hook = register_optimizer_step_post_hook(
        lambda optimizer, *_: found.append([p.detach().clone() for p in optimizer.param_groups[0]["params"]])
    )
    yield found
    hook.remove()


def test_the_averaged_weights_are_validated_kept_and_tested(command, compose, tmp_path, updates):
    assert command(*SMALL, *EMA).status == 0
    trained = updates[-EPOCHS * BATCHES :]
    average = trained[0]
    for weights_now in trained[1:]:
        average = [0.9 * mean + 0.1 * now for mean, now in zip(average, weights_now, strict=True)]
    run = only_run(tmp_path)
    for kept, mean, last in zip(weights(run).values(), average, trained[-1], strict=True):
        assert torch.allclose(kept, mean, rtol=1e-5, atol=1e-7)
        assert not torch.allclose(kept, last, rtol=1e-3, atol=0)
    cfg = compose(*SMALL)
    data = build.data(cfg)
    module = build.module(cfg, data)
    module.load_state_dict(weights(run))
    data.setup()
    for part, loader in (("val", data.val_dataloader()), ("test", data.test_dataloader())):
        x, y = next(iter(loader))
        with torch.no_grad():
            exact = float(F.cross_entropy(module.network.double()(x.double()), y))
        assert record(run)["metrics"][f"{part}/loss"] == pytest.approx(exact, rel=1e-5)


def test_batches_are_accumulated_as_scheduled(command, compose, tmp_path, updates):
    assert command(*SMALL, *ACCUMULATION).status == 0
    cfg = compose(*SMALL)
    data = build.data(cfg)
    module = build.module(cfg, data)
    optimizer = module.configure_optimizers()
    data.setup()
    loader = data.train_dataloader()
    before = len(updates)
    for epoch, batches in enumerate((1, 3)):
        loader.sampler.set_epoch(epoch)
        for number, (x, y) in enumerate(loader, start=1):
            (F.cross_entropy(module.network(x), y) / batches).backward()
            if number % batches == 0 or number == BATCHES:
                optimizer.step()
                optimizer.zero_grad()
    assert len(updates) - before == BATCHES + 13
    run = only_run(tmp_path)
    for kept, exact in zip(weights(run).values(), module.state_dict().values(), strict=True):
        assert torch.allclose(kept, exact, rtol=1e-5, atol=1e-7)
    assert steps(run)["train/loss_step"] == list(range(BATCHES + 13))


@pytest.mark.parametrize(
    "options", [EMA, *(pytest.param(one, marks=SLOW) for one in (ACCUMULATION, RATE))], ids=lambda one: one[0][25:]
)
def test_an_interrupted_run_ends_as_one_that_was_not(command, tmp_path, monkeypatch, options):
    options = (*SMALL, "trainer.max_epochs=4", *options)
    assert command(*options, f"output_dir={tmp_path}/whole/outputs").status == 0
    assert interrupt_after(command, monkeypatch, 3, *options).status == 130
    assert "resuming after epoch 2" in command(*options).out
    assert left_by(only_run(tmp_path)) == left_by(only_run(tmp_path / "whole"))


def test_a_function_is_called_at_every_batch_though_its_class_has_no_hook(command):
    own_callbacks.called.clear()
    assert command(*SMALL, *LAMBDA).status == 0
    assert own_callbacks.called == EPOCHS * list(range(BATCHES))


def test_throughput_counts_every_sample(command, tmp_path):
    assert command(*SMALL, *THROUGHPUT).status == 0
    samples = curves(only_run(tmp_path))["train/samples"]
    assert samples.steps.tolist() == list(range(EPOCHS * BATCHES))
    assert samples.values[-1] == EPOCHS * 1197


@SLOW
def test_what_the_device_says_is_written(command, tmp_path, monkeypatch):
    monkeypatch.setattr("lightning.pytorch.callbacks.device_stats_monitor._PSUTIL_AVAILABLE", True)
    monkeypatch.setattr("lightning.pytorch.accelerators.cpu.CPUAccelerator.get_device_stats", lambda *_: {"used": 3.0})
    assert command(*SMALL, *own("DeviceStatsMonitor")).status == 0
    used = curves(only_run(tmp_path))["DeviceStatsMonitor.on_train_batch_start/used"]
    assert used.steps.tolist() == list(range(EPOCHS * BATCHES))
    assert set(used.values) == {3.0}


def test_a_summary_is_shown(command):
    assert "Total params" in command(*SMALL, *own("RichModelSummary")).out


@pytest.mark.parametrize(
    "option", ["=simple", pytest.param("._target_=lightning.pytorch.profilers.AdvancedProfiler", marks=SLOW)]
)
def test_what_a_profiler_finds_is_in_the_run_folder(command, tmp_path, option):
    assert command(*SMALL, f"+trainer.profiler{option}").status == 0
    run = only_run(tmp_path)
    assert "profiler" not in run.parent.name  # it changes nothing
    assert "run_training_batch" in (run / "fit-profile.txt").read_text()
