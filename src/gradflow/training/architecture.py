"""The network of a configuration, with whatever weights its modules draw, and with the swept activation in it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from omegaconf import DictConfig
from torch import nn

from gradflow.activations.replacement import Replaced, check_functions, out_of_place, swap
from gradflow.data.datamodule import ArrayDataModule
from gradflow.data.preparation import Preparation
from gradflow.errors import ConfigError
from gradflow.models import signature
from gradflow.models.layers import declared_layers
from gradflow.training.instantiation import made

OURS = "gradflow.models."


def shown_model(cfg: DictConfig) -> str:
    """The network as it is typed: `model=mlp`, `model=custom model._target_=my_networks.Highway`."""
    target = str(cfg.model.get("_target_"))
    return f"model={cfg.model.get('name')}{'' if target.startswith(OURS) else f' model._target_={target}'}"


def activation(cfg: DictConfig) -> nn.Module:
    """One activation module, as each layer gets one."""
    return made(cfg.activation)


def architecture(cfg: DictConfig, arrays: ArrayDataModule | Preparation) -> nn.Module:
    """The network: its constructor gets whatever it takes of what the data and the knobs say.

    `input_shape`, `num_outputs` or `num_classes`, `in_channels`, `activation` (a function that makes one), `blocks` and
    `width`; what the group `model` sets comes before. Where it takes no `activation`, its activation modules are
    replaced (`gradflow.replace_activations`).
    """
    network = _built(cfg, arrays)[0]
    if declared_layers(network) or cfg.model["_target_"].startswith(OURS):
        # Convolutions run up to twice as fast on a CPU, and with bfloat16 on a GPU; Linear layers do not notice. Other
        # people's networks may call `view`, which this layout does not allow.
        return network.to(memory_format=torch.channels_last)
    return network


def check_replacement(cfg: DictConfig, arrays: ArrayDataModule) -> None:
    """Refuse a network that neither takes the activation nor has modules in whose place it can stand.

    Raises:
        ConfigError: naming the functions that the network calls instead.
        Exception: whatever the network raises.
    """
    network, replaced = _built(cfg, arrays)
    if replaced is None:
        return
    samples = torch.zeros(2, *arrays.input_shape)
    with _naming_both(cfg):
        check_functions(network, _factory(cfg), (samples,), replaced)


def _built(cfg: DictConfig, arrays: ArrayDataModule | Preparation) -> tuple[nn.Module, list[Replaced] | None]:
    """The network, and where its activations were replaced; None if it takes the argument `activation`."""
    takes = signature.arguments(cfg.model["_target_"])
    offered = {
        "input_shape": arrays.input_shape,
        "num_outputs": arrays.num_outputs,
        "num_classes": arrays.num_outputs,
        "in_channels": arrays.input_shape[0],
        "activation": _factory(cfg),
        "blocks": cfg.blocks,
        "width": cfg.width,
    }
    network = made(cfg.model, **{name: value for name, value in offered.items() if name in takes - cfg.model.keys()})
    if not isinstance(network, nn.Module):
        raise ConfigError(f"{shown_model(cfg)}: returns {type(network).__name__}; return a torch.nn.Module")
    if "activation" in takes:
        return network, None
    with _naming_both(cfg):
        return network, swap(network, _factory(cfg))


@contextmanager
def _naming_both(cfg: DictConfig) -> Iterator[None]:
    """An activation that does not go with a network is one line that names both."""
    try:
        yield
    except ConfigError as error:
        what = f"activation={cfg.activation.get('name') or cfg.activation['_target_']} {shown_model(cfg)}"
        raise ConfigError(f"{what}: {error}") from error


def _factory(cfg: DictConfig) -> Callable[[], nn.Module]:
    """Makes the swept activation, in other people's networks one that works out of place: they may add its input."""
    ours = cfg.model["_target_"].startswith(OURS)

    def make() -> nn.Module:
        return activation(cfg) if ours else out_of_place(activation(cfg))

    return make
