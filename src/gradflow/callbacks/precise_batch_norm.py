"""Test once more with batch normalisation's statistics computed anew at the final weights."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Self

import lightning as L
from lightning.pytorch.callbacks import Callback
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.optim.swa_utils import update_bn

from gradflow import names
from gradflow.data.loader import Batch, ChunkLoader
from gradflow.logger import write
from gradflow.module import ActivationModule
from gradflow.passes import Pass

BATCHES = 100  # at most: 10,000 samples are enough by the source


class PreciseBatchNorm(Callback):
    """Score the network of the last epoch also with statistics that fit its weights.

    Evaluation normalises by running averages over past batches, which lag behind weights that still move. Here each
    layer's mean and variance are the averages over up to `BATCHES` whole training batches at the final weights, which
    is where the running averages would end if the weights stood still; dropout and the like are off, as they are in
    evaluation. The network is left as it was; one without batch normalisation is not tested again.

    Source: Wu & Johnson 2021, arXiv:2105.07576, section 3.2 (precise BN).
    """

    def __init__(self) -> None:
        self.latest: dict[str, float] = {}

    def on_test_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        assert isinstance(pl_module, ActivationModule)
        network = pl_module.network
        layers = [one for one in network.modules() if isinstance(one, _BatchNorm) and one.track_running_stats]
        if self.latest or not layers:  # a second test is of the epoch that validation chose
            return
        convert = trainer.precision_plugin.convert_input
        scores = Pass(pl_module.task)
        kept = [buffer.clone() for buffer in network.buffers()]
        with trainer.precision_plugin.forward_context():
            update_bn(map(convert, _training_batches(trainer)), _OnlyNorms(network, layers))
            for batch in map(convert, _test_batches(trainer)):
                pl_module.loss(batch, scores, network.forward)
        for buffer, before in zip(network.buffers(), kept, strict=True):
            buffer.copy_(before)
        self.latest = {names.precise_bn(tag): value for tag, value in scores.scores("test").items()}
        write(trainer.loggers, self.latest, trainer.global_step)


def _training_batches(trainer: L.Trainer) -> Iterator[Batch]:
    """Whole batches in the order of the first epoch; a single one may be shorter."""
    loader = trainer.datamodule.train_dataloader()  # type: ignore[attr-defined]
    loader = loader.loader if isinstance(loader, ChunkLoader) else loader
    whole = max(1, len(loader.rows) // loader.batch_size)
    return map(loader.batch, loader.indices()[: min(whole, BATCHES)])


def _test_batches(trainer: L.Trainer) -> Iterator[Batch]:
    loader, (limit,) = trainer.test_dataloaders, trainer.num_test_batches
    assert loader is not None
    return islice(loader, int(limit))


class _OnlyNorms(nn.Module):
    """A network in which training mode is that of its batch normalisation alone; its call is never a compiled one."""

    def __init__(self, network: nn.Module, norms: Sequence[nn.Module]) -> None:
        super().__init__()
        self.network, self._norms = network, norms
        self.eval()

    def train(self, mode: bool = True) -> Self:
        self.training = mode
        self.network.eval()
        for norm in self._norms:
            norm.train(mode)
        return self

    def forward(self, x: Tensor) -> Tensor:
        return self.network.forward(x)
