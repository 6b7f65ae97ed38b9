"""Evaluate with batch normalisation's statistics recomputed at the weights that are evaluated."""

import logging
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

import lightning as L
from torch import Tensor, nn

from gradflow.callbacks.monitor import Monitor, as_measured, measures_itself, network_of
from gradflow.callbacks.training_batches import training_batches, undisturbed
from gradflow.data.datamodule import ArrayDataModule
from gradflow.errors import ConfigError
from gradflow.measure.batch_norm import apply_statistics, batch_norm_layers, recompute, statistics
from gradflow.measure.scores import Pass
from gradflow.runs import metrics, tags

log = logging.getLogger(__name__)
Inputs = Callable[[Any], Tensor | tuple[Any, ...]]


class PreciseBatchNorm(Monitor):
    """Choose the statistics by which evaluation normalises, and score the last epoch by the other ones too.

    Running averages over past batches lag behind weights that are still moving, and before the first update they
    describe a network that never exists. Instead, every validation and test pass begins by recomputing each layer's
    mean and variance over whole training batches, the same ones throughout a run, with dropout off; afterwards the
    running averages are put back, so that neither training nor the weights in a checkpoint change. A checkpoint has
    the statistics of its validation beside them, as this callback's state. Without batch normalisation nothing happens.

    It must come before callbacks that look at the network during validation, or they would see the batches of the
    recomputation too.

    Any LightningModule can have it: `PreciseBatchNorm(inputs=lambda batch: batch[0])`. Batches then come from the
    trainer's own training dataloader, without a shorter last one; random numbers are put back, so that training sees
    the same batches as without it. Several processes average what each has computed on its share. A test without
    training, and Lightning's sanity check, have no training data and use the running averages.

    Args:
        recomputes: False leaves evaluation to the running averages, PyTorch's own way; then the other score,
            `test/..._recomputed_bn`, is that of recomputed statistics; otherwise it is `test/..._running_bn`.
        samples: of the training set, behind the recomputed statistics; in whole batches.
        inputs: takes what `forward` is called with, a tensor or a tuple of arguments, from a batch; a module of this
            package needs none.
        submodule: the path of the part that is called with it; None for the module itself.

    Raises:
        ConfigError: when training starts, if `inputs` is missing or there is nothing to call.

    Source: Wu & Johnson 2021, arXiv:2105.07576, section 3.2 (precise BN).
    """

    def __init__(
        self, *, recomputes: bool = True, samples: int = 512, inputs: Inputs | None = None, submodule: str | None = None
    ) -> None:
        if samples < 1:
            raise ConfigError(f"samples={samples}: PreciseBatchNorm needs at least 1, e.g. samples=512")
        self._recomputes = recomputes
        self._samples = samples
        self._inputs = inputs
        self._submodule = submodule
        self._other = tags.running_bn if recomputes else tags.recomputed_bn
        self.declares = tuple(metric for metric in metrics.METRICS if metric.tag == self._other(metric.tag))
        self._running: dict[str, Tensor] = {}  # put aside during an evaluation
        self._recomputed: dict[str, Tensor] = {}  # of the latest evaluation

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """Other people's modules must say what to call, and with what."""
        if measures_itself(pl_module):
            return
        if self._inputs is None:
            raise ConfigError(
                "PreciseBatchNorm must be told how to take the inputs from a batch: inputs=lambda batch: batch[0]"
            )
        network = network_of(pl_module, self._submodule)
        if type(network).forward in (nn.Module.forward, L.LightningModule.forward):
            raise ConfigError(
                f"PreciseBatchNorm calls forward, which {type(network).__name__} does not have: "
                "name the part that takes the inputs, e.g. submodule='network'"
            )

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._begin(trainer, pl_module)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._end(pl_module)

    def on_test_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._begin(trainer, pl_module)

    def on_test_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._end(pl_module)
        network = network_of(pl_module, self._submodule)
        # A second test is that of the epoch that validation chose, and only a module of this package can be asked.
        if self.latest or not batch_norm_layers(network) or self._inputs is not None:
            return
        running = statistics(network)
        if not self._recomputes:
            self._recompute(trainer, pl_module)
        scores = _test_scores(trainer, pl_module)
        apply_statistics(network, running)
        self.record(trainer, {self._other(tag): value for tag, value in scores.items()})

    def on_exception(self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException) -> None:
        self._end(pl_module)

    def _begin(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        network = network_of(pl_module, self._submodule)
        if self._recomputes and batch_norm_layers(network):
            self._running = statistics(network)
            self._recompute(trainer, pl_module)
            self._recomputed = statistics(network)

    def _end(self, pl_module: L.LightningModule) -> None:
        apply_statistics(network_of(pl_module, self._submodule), self._running)
        self._running = {}

    def _recompute(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if self._inputs is not None:
            self._recompute_from_loader(trainer, network_of(pl_module, self._submodule), self._inputs)
            return
        data = trainer.datamodule  # type: ignore[attr-defined]
        assert isinstance(data, ArrayDataModule)
        batches = map(trainer.precision_plugin.convert_input, data.whole_batches(samples=self._samples))
        with trainer.precision_plugin.forward_context():
            recompute(as_measured(pl_module).network, (x for x, _ in batches))

    def _recompute_from_loader(self, trainer: L.Trainer, network: nn.Module, inputs: Inputs) -> None:
        if (batches := training_batches(trainer)) is None:
            if not trainer.sanity_checking:
                log.warning("PreciseBatchNorm: there are no training batches here, so the running averages are used")
            return
        ready = map(inputs, map(trainer.precision_plugin.convert_input, batches))
        with undisturbed(trainer), trainer.precision_plugin.forward_context():
            recompute(network, _whole(ready, self._samples))
        if trainer.world_size > 1:
            mine = {name: value for name, value in statistics(network).items() if value.is_floating_point()}
            means = {name: trainer.strategy.reduce(value, reduce_op="mean") for name, value in mine.items()}
            apply_statistics(network, means)

    def state_dict(self) -> dict[str, Any]:
        return super().state_dict() | {"recomputed": self._recomputed}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict(state_dict)
        self._recomputed = state_dict["recomputed"]


def _whole(batches: Iterator[Tensor | tuple[Any, ...]], samples: int) -> Iterator[Tensor | tuple[Any, ...]]:
    """As many batches as have these samples, each as large as the first."""
    size = seen = 0
    for x in batches:
        rows = len(x[0] if isinstance(x, tuple) else x)
        size = size or rows
        if rows == size:
            yield x
            seen += rows
        if seen >= samples:
            return


def recomputed_statistics(checkpoint: Mapping[str, Any]) -> dict[str, Tensor]:
    """The statistics by which the network of a checkpoint was validated, for `apply_statistics`.

    Empty for a network without batch normalisation, and where evaluation uses running averages.
    """
    states = [state for state in checkpoint["callbacks"].values() if "recomputed" in state]
    return dict(states[0]["recomputed"]) if states else {}


def _test_scores(trainer: L.Trainer, pl_module: L.LightningModule) -> dict[str, float]:
    """The scores of one more pass over the test set, which no other callback sees."""
    module = as_measured(pl_module)
    loader, (limit,) = trainer.test_dataloaders, trainer.num_test_batches
    assert loader is not None
    scores = Pass(module.task, pl_module.device)
    with trainer.precision_plugin.forward_context():
        for batch in map(trainer.precision_plugin.convert_input, islice(loader, int(limit))):
            module.loss(batch, scores, module.network.forward)
    return scores.scores("test")
