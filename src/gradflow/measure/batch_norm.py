"""Batch normalisation's statistics for the weights as they are, in place of running averages that lag behind them."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import MethodType
from typing import Any

import torch
from torch import Tensor, nn

BatchNorm = nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d | nn.SyncBatchNorm


def batch_norm_layers(network: nn.Module) -> dict[str, BatchNorm]:
    """The layers that evaluate by stored statistics, by their path in the network."""
    found = {path: one for path, one in network.named_modules() if isinstance(one, BatchNorm)}
    return {path: one for path, one in found.items() if one.track_running_stats}


def statistics(network: nn.Module) -> dict[str, Tensor]:
    """A copy of what the layers have stored (means, variances, number of batches), by the name of the buffer."""
    return {
        f"{path}.{name}": buffer.clone()
        for path, layer in batch_norm_layers(network).items()
        for name, buffer in layer.named_buffers(recurse=False)
    }


def apply_statistics(network: nn.Module, stored: Mapping[str, Tensor]) -> None:
    """Put back what `statistics` returned."""
    for name, buffer in network.named_buffers():
        if name in stored:
            buffer.copy_(stored[name])


@torch.no_grad()
def recompute(network: nn.Module, batches: Iterable[Tensor | tuple[Any, ...]]) -> None:
    """Replace the layers' running averages by averages over these batches, at the weights as they are.

    Each layer's mean and variance are the means of the batches' means and (unbiased) variances, what the running
    averages would approach if the weights stood still. Like `torch.optim.swa_utils.update_bn`, which would enable
    dropout and call a network that may be compiled.

    Args:
        network: in evaluation mode.
        batches: inputs, at least one batch, each as large as those of training; a tuple has several arguments.

    Source: Wu & Johnson 2021, arXiv:2105.07576, section 3.2 (precise BN).
    """
    layers = list(batch_norm_layers(network).values())
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # a plain average over the batches
        layer.train()
        if isinstance(layer, nn.SyncBatchNorm):  # it would wait for the other processes, which see the same batches
            vars(layer)["forward"] = MethodType(nn.BatchNorm2d.forward, layer)
    for x in batches:
        network.forward(*x) if isinstance(x, tuple) else network.forward(x)
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
        layer.eval()
        vars(layer).pop("forward", None)


@contextmanager
def recomputed(network: nn.Module, batches: Iterable[Tensor]) -> Iterator[None]:
    """Within the context, batch normalisation uses statistics recomputed on these batches; see `recompute`."""
    before = statistics(network)
    recompute(network, batches)
    try:
        yield
    finally:
        apply_statistics(network, before)
