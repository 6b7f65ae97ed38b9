"""A LightningModule of the user's own at work once, on two batches: what it logs is known only then."""

import inspect
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from traceback import walk_tb

import lightning as L
from lightning.pytorch.callbacks import LambdaCallback, ModelSummary
from lightning.pytorch.utilities.seed import isolate_rng
from omegaconf import DictConfig, open_dict
from torch.utils.data import DataLoader, Dataset

from gradflow.errors import ConfigError, Diverged, nearest, shown
from gradflow.runs import identity, tags
from gradflow.sweep.checks.callbacks import is_known
from gradflow.sweep.checks.dry_step import BATCHES, LEFT_OUT, NOT_TRIED, Memory, Nowhere, kind, silence
from gradflow.sweep.checks.other_code import refusing
from gradflow.training import build, own_module
from gradflow.training.epoch_seeds import EpochSeeds, seed_epochs
from gradflow.training.logged_metrics import LoggedMetrics
from gradflow.training.process import lightning_called


@dataclass(frozen=True)
class Logged:
    """What a module logs.

    Attributes:
        by_epoch: tags that have a value for each epoch, that of the best epoch's included.
        tested: tags of its tests; empty without tests.
    """

    by_epoch: tuple[str, ...]
    tested: tuple[str, ...]


_known: dict[str, Logged] = {}


def logged_by(cfg: DictConfig) -> Logged:
    """What the module logs when it trains on two batches, validates and tests on one, on the CPU; nothing is written.

    Callbacks of the user's own are not called. Configurations that differ in the size of numbers only are tried once in
    a process.

    Raises:
        ConfigError: naming the part that failed, or what is followed and never logged.
    """
    values = {key: value for key, value in identity.whole(cfg).items() if key.split(".")[0] not in NOT_TRIED}
    structure = identity.digest({key: kind(value) for key, value in values.items()})
    if structure not in _known:
        with silence(), lightning_called(), isolate_rng():
            _known[structure] = _tried(cfg)
    return _known[structure]


def _tried(cfg: DictConfig) -> Logged:
    with refusing(f"data._target_={cfg.data['_target_']}"):
        data = build.any_data(cfg)
    with refusing(f"module._target_={cfg.module['_target_']}"):
        module = build.any_module(cfg, data)
    metrics = LoggedMetrics(own_module.scores(cfg))
    trainer = _trainer(cfg, metrics)
    seed_epochs(data, seed=cfg.seed, trainer=trainer)
    try:
        own_module.seed_split(cfg)
        with suppress(Diverged):  # a result
            trainer.fit(module, datamodule=data)
        trainer.save_checkpoint("memory")
        if own_module.has_test(module, data):
            own_module.seed_split(cfg)
            trainer.test(module, datamodule=data, verbose=False)
    except ConfigError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())
        what = _to_blame(error, cfg, module)
        raise ConfigError(f"{what}: fails on the first batches ({type(error).__name__}: {reason})") from error
    _check_optimizers(cfg, trainer)
    _check_followed(cfg, metrics)
    if own_module.mode(cfg) is None:
        raise ConfigError(
            f"module.monitor={cfg.module.monitor}: its name does not say which of two values is better; add "
            "module.mode=min or module.mode=max"
        )
    return Logged(tuple(metrics.scores.latest), tuple(metrics.tested))


def _trainer(cfg: DictConfig, metrics: LoggedMetrics) -> L.Trainer:
    own = cfg.copy()
    with open_dict(own):
        own.trainer = {key: value for key, value in cfg.trainer.items() if key not in LEFT_OUT} | {
            "accelerator": "cpu",
            "devices": 1,
            "max_epochs": 1,
            "limit_train_batches": BATCHES,
            "limit_val_batches": 1,
            "limit_test_batches": 1,
        }
    with refusing("callbacks"):
        made = build.callbacks(cfg)
    called = [one for one in made.values() if is_known(one) and not isinstance(one, LambdaCallback | ModelSummary)]
    followed = [one for one in called if getattr(one, "monitor", None) is not None]  # checked by its name
    called = [EpochSeeds(cfg.seed), *(one for one in called if one not in followed), metrics]
    with refusing("trainer"):
        trainer = build.trainer(own, Path(), callbacks=called, loggers=metrics.loggers([Nowhere()]))
    trainer.strategy.checkpoint_io = Memory()
    return trainer


def _check_optimizers(cfg: DictConfig, trainer: L.Trainer) -> None:
    for one in trainer.optimizers:
        closure = inspect.signature(one.step).parameters.get("closure")
        if closure is not None and closure.default is inspect.Parameter.empty:
            raise ConfigError(
                f"module._target_={cfg.module['_target_']}: its {type(one).__name__} evaluates a batch several times "
                "for one update, so that the update has no gradient of its own to measure; use another optimizer"
            )


def _check_followed(cfg: DictConfig, metrics: LoggedMetrics) -> None:
    """Refuse to rank epochs by what is never logged, and callbacks of Lightning's that follow it.

    Callbacks of the user's own, which are not called here, may log something, too.
    """
    made, monitor = build.callbacks(cfg), cfg.module.monitor
    known = [tag for tag in metrics.scores.latest if tag != tags.best(monitor)]  # which callbacks do not see
    if monitor not in known:
        raise ConfigError(
            f"module.monitor={monitor}: never logged{nearest(monitor, known)} (logged: {', '.join(known) or 'nothing'})"
        )
    for name, callback in made.items() if all(map(is_known, made.values())) else ():
        monitor = getattr(callback, "monitor", None)
        if monitor is not None and monitor not in known:
            raise ConfigError(
                f"callbacks.{name}.monitor={shown(monitor)}: never logged{nearest(monitor, known)} "
                f"(logged: {', '.join(known)})"
            )


def _to_blame(error: Exception, cfg: DictConfig, module: L.LightningModule) -> str:
    """The part in whose code the error arose, as it is typed."""
    found = f"module._target_={cfg.module['_target_']}"
    for frame, _ in walk_tb(error.__traceback__):
        owner = frame.f_locals.get("self")
        if isinstance(owner, L.LightningDataModule | DataLoader | Dataset):
            found = f"data._target_={cfg.data['_target_']}"
        elif owner is module:
            found = f"module._target_={cfg.module['_target_']}"
    return found
