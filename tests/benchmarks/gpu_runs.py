"""gradflow's own training, in this process, on the device that is checked; and callbacks that time or stop it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import lightning as L
import numpy as np
import torch
from gpu_settings import Settings
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from gradflow import CONF, terminal
from gradflow.callbacks.monitor import Monitor
from gradflow.runs.events import curves
from gradflow.training import build
from gradflow.training.devices import OwnEnvironment, companions
from gradflow.training.fit import Parts, build_parts, fit_and_test
from gradflow.training.process import free_gpu, process_settings

PHOTOS = ("data=npz", "data.validation=test", "data.validation_size=null", "data.pixel_range=[-1.0,1.0]", "seed=0")
QUIET = ("callbacks.pictures=null", "callbacks.health_warnings=null")
# Lightning keeps what was said last for the whole process.
DETERMINISTIC, FREE = "+trainer.deterministic=true", "+trainer.deterministic=false"
STOPWATCH = "+callbacks.stopwatch._target_=gpu_runs.Stopwatch"


class Stopped(Exception):
    """Training was stopped on purpose."""


class StopsAfter(Monitor):
    """Interrupts a run before its second epoch."""

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if trainer.current_epoch == 1:
            raise Stopped


@dataclass
class Epoch:
    """Seconds of one epoch, and its steps.

    Attributes:
        training: of all steps.
        validation: of the pass over the validation set.
        between: from there to the next epoch: curves and checkpoints are written.
        steps: how many.
    """

    training: float = 0.0
    validation: float = 0.0
    between: float = 0.0
    steps: int = 0

    @property
    def seconds(self) -> float:
        return self.training + self.validation + self.between


class Stopwatch(Monitor):
    """Times every epoch, waiting for the device at its ends only."""

    sees_chunks = True

    def __init__(self) -> None:
        self.epochs: list[Epoch] = []
        self._since = 0.0

    def _lap(self, device: torch.device) -> float:
        wait_for(device)
        now = time.perf_counter()
        lap, self._since = now - self._since, now
        return lap

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        lap = self._lap(pl_module.device)
        if self.epochs:
            self.epochs[-1].between = lap
        self.epochs.append(Epoch(steps=-trainer.global_step))

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if self.epochs:
            self.epochs[-1].training = self._lap(pl_module.device)
            self.epochs[-1].steps += trainer.global_step

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if self.epochs:
            self.epochs[-1].validation = self._lap(pl_module.device)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.epochs[-1].between = self._lap(pl_module.device)


def wait_for(device: torch.device | str) -> None:
    """Until the device has done all that it was given."""
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize()


class Pacer(Monitor):
    """Counts the steps between two moments, then ends the training.

    Attributes:
        begin: when to start counting, in seconds since 1970; before, the training warms up.
        end: when to stop.
        rate: steps per second in between.
    """

    sees_chunks = True

    def __init__(self) -> None:
        self.begin = self.end = self.rate = 0.0
        self._first: tuple[float, int] | None = None

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: L.LightningModule, *_: object) -> None:
        now = time.time()
        if now < self.begin:
            return
        if self._first is None or now >= self.end:
            wait_for(pl_module.device)
            here = time.time(), trainer.global_step
            if self._first is None:
                self._first = here
            else:
                self.rate = (here[1] - self._first[1]) / (here[0] - self._first[0])
                raise Stopped


@dataclass(frozen=True)
class Trained:
    """A run that has ended.

    Attributes:
        parts: what trained it.
        values: every curve, by tag, the values only.
        scores: of its tests.
        before: the initial weights, by name, on the CPU.
        after: the final ones.
        seconds: of everything.
    """

    parts: Parts
    values: dict[str, np.ndarray]
    scores: dict[str, float]
    before: dict[str, torch.Tensor] = field(repr=False)
    after: dict[str, torch.Tensor] = field(repr=False)
    seconds: float

    @property
    def update(self) -> torch.Tensor:
        """By how much training has changed all parameters, float64, one after the other."""
        names = [name for name, _ in self.parts.module.named_parameters()]
        return torch.cat([(self.after[name].double() - self.before[name].double()).flatten() for name in names])

    @property
    def epochs(self) -> list[Epoch]:
        (watch,) = (one for one in self.parts.monitors if isinstance(one, Stopwatch))
        return watch.epochs


def composed(*overrides: str) -> DictConfig:
    """The configuration of a run."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("train", overrides=list(overrides))


def conv(settings: Settings, images: int, *, blocks: int, precision: str = "32") -> tuple[str, ...]:
    """Overrides of a run in the shapes of `cifar10_depth`; only the timed ones have a whole set to validate on."""
    size = settings.size
    held_out = size.held_out if images == size.images else 2 * size.batch
    shapes = (f"width={size.width}", f"blocks={blocks}", f"data.batch_size={size.batch}", "batch_norm=running")
    return (
        settings.trainer,
        *PHOTOS,
        f"data.path={settings.photos(images, held_out)}",
        *shapes,
        f"precision={precision}",
    )


def mlp(settings: Settings) -> tuple[str, ...]:
    """Overrides of a run in the shapes of `mnist_adam`."""
    shapes = ("model=mlp", "blocks=2", f"width={settings.size.mlp_width}", "data.batch_size=64")
    return (settings.trainer, *PHOTOS, f"data.path={settings.digits()}", *shapes)


def train(settings: Settings, name: str, overrides: Sequence[str], *, resume: bool = False) -> Trained:
    """Train and test one run in a folder of this name; later overrides win.

    Args:
        settings: of the part.
        name: of the folder.
        overrides: of the configuration.
        resume: go on from the folder's last checkpoint.
    """
    cfg = composed(*overrides)
    folder = settings.folder / name
    terminal.configure()
    start = time.perf_counter()
    with process_settings(cfg), companions(1, _nobody) as environment:
        parts = build_parts(cfg, folder, environment, loggers=build.loggers(cfg, folder))
        before = _copied(parts)
        last = folder / "checkpoints" / "last.ckpt" if resume else None
        scores = fit_and_test(cfg, parts, folder, last)
        wait_for(settings.device)
        seconds = time.perf_counter() - start
        for logger in parts.trainer.loggers:
            logger.close(finished=True)
    free_gpu()
    values = {tag: curve.values for tag, curve in curves(folder).items()}
    return Trained(parts, values, scores, before, _copied(parts), seconds)


def _nobody(environment: OwnEnvironment, ready: object) -> None:
    raise AssertionError("a run of one process has no others")


def _copied(parts: Parts) -> dict[str, torch.Tensor]:
    return {name: value.detach().cpu().clone() for name, value in parts.module.state_dict().items()}
