"""A trained network that can be used without knowing how it was trained."""

from typing import Any

import torch
from lightning.pytorch.plugins import DoublePrecision, MixedPrecision, Precision
from omegaconf import DictConfig
from torch import Tensor, nn

from gradflow.data.preparation import Preparation
from gradflow.training import build
from gradflow.training.process import float32_products


class TrainedNetwork(nn.Module):
    """A network that takes samples as its data set has them, scales them as in training, and computes as in its run.

    It refuses samples of another shape or type, so that pixels are never scaled twice or not at all.

    Args:
        network: the bare network.
        preparation: how samples become its inputs.
        cfg: the configuration of its run.
        epoch: the epoch of its weights, counted from 1.

    Attributes:
        network: the bare network, which takes prepared samples; `network.layers` are its layers in forward order.
        preparation: as above.
        epoch: as above.
        task: its loss, predictions and scores.
    """

    def __init__(self, network: nn.Module, preparation: Preparation, *, cfg: DictConfig, epoch: int) -> None:
        super().__init__()
        self.network = network
        self.preparation = preparation
        self.epoch = epoch
        self.task = build.learning_task(cfg, preparation)
        self._precision = build.PRECISIONS[str(cfg.precision)]
        self._tf32 = str(cfg.precision) == "tf32"
        self.eval()

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.network.parameters()).device

    @property
    def precision(self) -> Precision:
        """Lightning's plugin for the precision of the run, as in training."""
        if self._precision == "64-true":
            return DoublePrecision()
        return MixedPrecision("bf16-mixed", self.device.type) if self._precision == "bf16-mixed" else Precision()

    def prepare(self, x: Any) -> Tensor:
        """The inputs of the bare network, on its device and in its precision.

        Args:
            x: samples, a tensor or an array of shape (N, *input_shape): uint8 pixels, or numbers in their own unit.

        Raises:
            ConfigError: if they cannot be samples of the network's data set.
        """
        return self.precision.convert_input(self.preparation.inputs(x).to(self.device))

    def forward(self, x: Any) -> Tensor:
        """The outputs for samples as `prepare` takes them, shape (N, outputs).

        One logit per class or label; for binary tasks the logit of class 1; for regression the standardized targets,
        before an output function such as tanh.
        """
        with float32_products(tf32=self._tf32), self.precision.forward_context():
            outputs = self.network(self.prepare(x))
        return outputs.float() if outputs.dtype == torch.bfloat16 else outputs

    @torch.no_grad()
    def predict(self, x: Any) -> Tensor:
        """Class numbers, int64, or regression values in the unit of the data, float64, shape (N,).

        Several targets, or labels of 0 and 1 (int64), have the shape (N, K).
        """
        answers = self.task.predict(self(x))
        known = self.preparation
        if known.task != "regression":
            return answers
        scale, mean = (torch.as_tensor(one).to(answers) for one in (known.target_scale, known.target_mean))
        return answers * scale + mean
