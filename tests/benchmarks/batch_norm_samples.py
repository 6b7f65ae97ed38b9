"""How many training samples batch normalisation's statistics need, and what recomputing them costs.

    python tests/benchmarks/batch_norm_samples.py                              # digits, three minutes on one core
    python tests/benchmarks/batch_norm_samples.py --npz cifar10.npz            # images of 32x32, ten minutes
    python tests/benchmarks/batch_norm_samples.py model=mlp model.norm=batch   # other overrides of train.py

Networks of several depths, with sigmoid and with ReLU, are trained as usual. After some epochs the validation set is
classified with statistics recomputed from more and more samples, drawn several times, and with the running averages.
docs/batch_norm.md has the tables.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import lightning as L
import machine
import pandas as pd
import tables
import torch
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from gradflow import CONF, terminal
from gradflow.data.datamodule import ArrayDataModule
from gradflow.measure.batch_norm import apply_statistics, recompute, statistics
from gradflow.training import build
from gradflow.training.module import ActivationModule
from gradflow.training.process import process_settings

HEADER = ("training samples", "batches", "mean deviation", "largest deviation", "one recomputation")
ACTIVATIONS = ("sigmoid", "relu")
RUNNING = 0  # samples behind the running averages
# Evaluation is left to the running averages, so that an epoch's seconds hold no recomputation.
COMMON = ("batch_norm=running", "callbacks.pictures=null", "callbacks.health_warnings=null", "trainer=cpu", "threads=1")


@dataclass(frozen=True)
class Setting:
    """What is trained, and how it is evaluated.

    Attributes:
        overrides: of train.py, for every network.
        blocks: the depths.
        epochs: those after which the validation set is classified, ascending.
        most: samples behind the statistics with which the others are compared, or all whole batches there are.
        draws: of the samples.
    """

    overrides: tuple[str, ...]
    blocks: tuple[int, ...]
    epochs: tuple[int, ...]
    most: int
    draws: int


DIGITS = Setting(overrides=(), blocks=(1, 4, 8), epochs=(1, 2, 3, 5), most=2048, draws=4)


def images(file: Path) -> Setting:
    """An .npz file for `data=npz`, in epochs of 60 batches."""
    data = ("data=npz", f"data.path='{file}'", "data.batch_size=128", "data.validation_size=2000")
    overrides = (*data, "width=32", "+trainer.limit_train_batches=60")
    return Setting(overrides, blocks=(4,), epochs=(1, 2), most=4096, draws=2)


class Evaluations(L.Callback):
    """Classify the validation set with each statistics; `rows` has one for each epoch, number of samples and draw."""

    def __init__(self, setting: Setting, draws: Sequence[ArrayDataModule]) -> None:
        self.rows: list[dict[str, float]] = []
        self._setting = setting
        self._draws = draws
        self._started = 0.0

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._started = time.perf_counter()

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: ActivationModule) -> None:
        """After the epoch's validation."""
        common = {"epoch": trainer.current_epoch + 1, "epoch_seconds": time.perf_counter() - self._started}
        if common["epoch"] not in self._setting.epochs:
            return
        pl_module.eval()
        running = statistics(pl_module.network)
        self.rows.append(common | {"samples": RUNNING, "seconds": 0.0, "accuracy": self._accuracy(pl_module)})
        for samples in numbers_of_samples(self._draws[0], most=self._setting.most):
            for data in self._draws:
                start = time.perf_counter()
                recompute(pl_module.network, (x for x, _ in data.whole_batches(samples=samples)))
                seconds = time.perf_counter() - start
                accuracy = self._accuracy(pl_module)
                self.rows.append(common | {"samples": samples, "seconds": seconds, "accuracy": accuracy})
        apply_statistics(pl_module.network, running)
        pl_module.train()

    @torch.no_grad()
    def _accuracy(self, module: ActivationModule) -> float:
        """In percent of the validation set."""
        right = [module.task.predict(module.network(x)) == y for x, y in self._draws[0].val_dataloader()]
        return 100 * float(torch.cat(right).float().mean())


def numbers_of_samples(data: ArrayDataModule, *, most: int) -> list[int]:
    """One batch, two, four and so on, at last `most` or all that fill batches."""
    last = min(most, data.sizes.train) // data.batch_size * data.batch_size
    powers = (data.batch_size * 2**i for i in range(last.bit_length()))
    return [*(samples for samples in powers if samples < last), last]


def configuration(overrides: Sequence[str]) -> DictConfig:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("train", overrides=list(overrides))


def trained(setting: Setting, *overrides: str) -> pd.DataFrame:
    """Train one network and evaluate it; the rows of `Evaluations`."""
    common = (*COMMON, *setting.overrides, f"trainer.max_epochs={setting.epochs[-1]}", *overrides)
    cfg = configuration(common)
    # A data module's seed decides which samples the statistics come from; the split is the same.
    draws = [build.data(configuration((*common, f"seed={seed}"))) for seed in range(setting.draws)]
    with process_settings(cfg), tempfile.TemporaryDirectory() as folder:
        for data in draws:
            data.setup()
        evaluations = Evaluations(setting, draws)
        monitors = build.monitors(cfg)
        data = build.data(cfg, chunk_size=build.chunk_size(cfg, monitors))
        module = build.module(cfg, data)
        build.trainer(cfg, Path(folder), callbacks=[*monitors, evaluations]).fit(module, datamodule=data)
    return pd.DataFrame(evaluations.rows)


def table(found: pd.DataFrame, *, batch_size: int) -> str:
    """A row for each number of samples.

    Args:
        found: with the columns network, epoch, samples, accuracy, seconds, epoch_seconds.
        batch_size: samples in a batch.
    """
    with_most = found[found.samples == found.samples.max()]
    reference = with_most.groupby(["network", "epoch"], as_index=False).accuracy.mean()
    joined = found.merge(reference, on=["network", "epoch"], suffixes=("", "_with_most"))
    joined["deviation"] = (joined.accuracy - joined.accuracy_with_most).abs()
    joined["cost"] = 100 * joined.seconds / joined.epoch_seconds
    return tables.markdown(HEADER, [_row(int(k), of, batch_size=batch_size) for k, of in joined.groupby("samples")])


def _row(samples: int, found: pd.DataFrame, *, batch_size: int) -> list[str]:
    deviations = [f"{found.deviation.mean():.1f}", f"{found.deviation.max():.1f}"]
    if samples == RUNNING:
        return ["running averages", "", *deviations, ""]
    return [f"{samples:,}", str(samples // batch_size), *deviations, f"{found.cost.median():.1f} %"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--npz", type=Path, help="images of your own, as data=npz reads them")
    parser.add_argument("overrides", nargs="*", help="of train.py")
    args = parser.parse_args()
    terminal.configure()
    setting = images(args.npz.resolve()) if args.npz else DIGITS
    parts = []
    for activation in ACTIVATIONS:
        for blocks in setting.blocks:
            part = trained(setting, f"activation={activation}", f"blocks={blocks}", *args.overrides)
            parts.append(part.assign(network=f"{activation}, {blocks} blocks"))
    cfg = configuration((*setting.overrides, *args.overrides))
    text = table(pd.concat(parts), batch_size=cfg.data.batch_size)
    tables.publish("batch_norm_samples", f"Batch norm's samples. {machine.caption()}\n\n{text}")


if __name__ == "__main__":
    main()
