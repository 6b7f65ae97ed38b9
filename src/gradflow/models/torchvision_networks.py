"""Any classifier of torchvision, untrained, for images of any number of channels, with a stem for small ones."""

from collections import OrderedDict
from collections.abc import Sequence
from functools import cache
from typing import Any

import torch
import torchvision
from torch import nn

from gradflow.errors import ConfigError, check_whole, nearest, shown
from gradflow.models.blocks import image_channels

STEMS = ORIGINAL, SMALL = "original", "small"
# How the constructors of these families are told the size of an image; the others take any that is large enough.
_SIZES = {"vit_": lambda height, width: {"image_size": height}, "maxvit_": lambda *size: {"input_size": size}}
_AUXILIARY = ("googlenet", "inception_v3")  # return a tuple in training, and warn, unless told not to
_TRIED = (16, 32, 48, 64, 75, 96, 112, 128, 224, 299)  # pixels


def classifier(
    input_shape: Sequence[int],
    num_outputs: int,
    *,
    arch: str = "resnet18",
    stem: str = ORIGINAL,
    resize: int | None = None,
    **options: Any,
) -> nn.Module:
    """A network of `torchvision.models`, without weights: (N, C, H, W) to (N, num_outputs).

    A first convolution that is made anew, for images that have not 3 channels or for a small stem, has the weights that
    torch draws for it. Networks with auxiliary outputs in training do without.

    Args:
        input_shape: (C, H, W).
        num_outputs: classes, or regression targets.
        arch: one of `torchvision.models.list_models(module=torchvision.models)`, e.g. resnet18.
        stem: original, or small: the first convolution becomes 3x3 with stride 1, and a max-pooling that follows it is
            left out, as is usual for images of 32 pixels.
        resize: pixels; images are scaled to this height and width first, bilinearly. None leaves them as they are.
        options: further arguments of the network, e.g. `dropout`.

    Raises:
        ConfigError: if there is no such network, if the input is not an image or too small for it, or if its stem
            cannot be made small.
    """
    channels = image_channels(input_shape, model="torchvision")
    known = torchvision.models.list_models(module=torchvision.models)
    if arch not in known:
        raise ConfigError(f"model.arch={shown(arch)}: no classifier of torchvision{nearest(str(arch), known)}")
    if stem not in STEMS:
        raise ConfigError(f"model.stem={shown(stem)}: choose one of {', '.join(STEMS)}")
    if resize is not None:
        check_whole("model.resize", resize, at_least=1, example=64)
    size = (input_shape[1], input_shape[2]) if resize is None else (resize, resize)
    if not _fits(arch, size, stem):
        _refuse_size(arch, size, stem)
    network = _made(arch, size, channels=channels, stem=stem, num_classes=num_outputs, **options)
    if resize is None:
        return network
    return nn.Sequential(OrderedDict(resize=nn.Upsample(size, mode="bilinear"), network=network))


def _made(arch: str, size: tuple[int, int], *, channels: int, stem: str, **options: Any) -> nn.Module:
    of_size = next((option(*size) for prefix, option in _SIZES.items() if arch.startswith(prefix)), {})
    auxiliary = {"aux_logits": False, "init_weights": True} if arch in _AUXILIARY else {}
    network = torchvision.models.get_model(arch, weights=None, **auxiliary, **of_size, **options)
    _adapt(network, arch, channels=channels, stem=stem)
    return network


def _adapt(network: nn.Module, arch: str, *, channels: int, stem: str) -> None:
    """Put another first convolution in, for the channels or for a small stem."""
    modules = list(network.named_modules())
    at = next(i for i, (_, one) in enumerate(modules) if isinstance(one, nn.Conv2d))
    path, old = modules[at]
    assert isinstance(old, nn.Conv2d)
    shape: dict[str, Any] = {"kernel_size": old.kernel_size, "stride": old.stride, "padding": old.padding}
    if stem == SMALL:
        if old.stride == (1, 1) or old.stride == old.kernel_size:
            why = "leaves the size as it is" if old.stride == (1, 1) else "cuts patches"
            raise ConfigError(
                f"model.stem=small: the first convolution of model.arch={arch} {why}; use model.stem=original"
            )
        shape = {"kernel_size": 3, "stride": 1, "padding": 1}
        for pooling, one in modules[at + 1 :]:
            if isinstance(one, nn.Conv2d):
                break
            if isinstance(one, nn.MaxPool2d):
                network.set_submodule(pooling, nn.Identity())
    if stem == SMALL or channels != old.in_channels:
        network.set_submodule(path, nn.Conv2d(channels, old.out_channels, bias=old.bias is not None, **shape))


@cache
def _fits(arch: str, size: tuple[int, int], stem: str) -> bool:
    """Whether a network computes something for images of this size, tried without computing anything."""
    try:
        with torch.device("meta"):
            network = _made(arch, size, channels=3, stem=stem)
    except (RuntimeError, NotImplementedError):  # RegNet's constructor computes with numbers; it takes any size
        return not any(arch.startswith(prefix) for prefix in _SIZES)
    except ConfigError:
        raise
    except (ValueError, AssertionError):  # the windows of MaxViT, the patches of ViT do not divide it
        return False
    try:
        network.eval()(torch.empty(2, 3, *size, device="meta"))
    except (RuntimeError, AssertionError):
        return False
    return True


def _refuse_size(arch: str, size: tuple[int, int], stem: str) -> None:
    enough = next((tried for tried in _TRIED if tried > max(size) and _fits(arch, (tried, tried), stem)), None)
    remedy = f"scale them by model.resize={enough}" if enough else "choose another model.arch"
    raise ConfigError(f"model.arch={arch}: does not take images of {size[0]}x{size[1]} pixels; {remedy}")
