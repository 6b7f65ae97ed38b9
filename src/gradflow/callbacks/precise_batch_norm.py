"""Test once more with batch normalisation's statistics recomputed for the final weights."""

from collections.abc import Iterable, Sequence
from itertools import islice

import lightning as L
from torch import Tensor, nn

from gradflow.callbacks.monitor import Monitor, as_measured
from gradflow.data.datamodule import ArrayDataModule
from gradflow.measure.scores import Pass
from gradflow.runs import metrics, tags

BatchNorm = nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d | nn.SyncBatchNorm
SAMPLES = 10_000  # of the training set, or all of it; enough according to the source


class PreciseBatchNorm(Monitor):
    """Score the network of the last epoch also with statistics that fit its weights.

    Evaluation normalises by running averages over past batches, which lag behind weights that are still moving. Here
    each layer's mean and variance are averages over whole training batches, `SAMPLES` in all, for the final weights:
    the values that the running averages would approach if the weights stopped moving. Dropout is off, as in
    evaluation. The network is restored afterwards; one without batch normalisation is not tested again.

    Source: Wu & Johnson 2021, arXiv:2105.07576, section 3.2 (precise BN).
    """

    declares = tuple(metric for metric in metrics.METRICS if tags.is_precise_bn(metric.tag))

    def on_test_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        module = as_measured(pl_module)
        network, data = module.network, trainer.datamodule  # type: ignore[attr-defined]
        layers = [one for one in network.modules() if isinstance(one, BatchNorm) and one.track_running_stats]
        if self.latest or not layers:  # a second test is that of the epoch that validation chose
            return
        assert isinstance(data, ArrayDataModule)
        loader, (limit,) = trainer.test_dataloaders, trainer.num_test_batches
        assert loader is not None
        convert = trainer.precision_plugin.convert_input
        scores = Pass(module.task, pl_module.device)
        kept = [buffer.clone() for buffer in network.buffers()]
        with trainer.precision_plugin.forward_context():
            _recompute(layers, network, (x for x, _ in map(convert, data.whole_batches(samples=SAMPLES))))
            for batch in map(convert, islice(loader, int(limit))):
                module.loss(batch, scores, network.forward)
        for buffer, before in zip(network.buffers(), kept, strict=True):
            buffer.copy_(before)
        self.record(trainer, {tags.precise_bn(tag): value for tag, value in scores.scores("test").items()})


def _recompute(layers: Sequence[BatchNorm], network: nn.Module, batches: Iterable[Tensor]) -> None:
    """Like `torch.optim.swa_utils.update_bn`, which would enable dropout and call a network that may be compiled."""
    momenta = [one.momentum for one in layers]
    for one in layers:
        one.reset_running_stats()
        one.momentum = None  # a plain average over the batches
        one.train()
    for x in batches:
        network.forward(x)
    for one, momentum in zip(layers, momenta, strict=True):
        one.momentum = momentum
        one.eval()
