"""The modules that a network is made of, and what they are called in names of sites."""

from collections.abc import Iterator

from torch import nn

_COMPILED = "_orig_mod"  # the part of a path that torch.compile adds


def parts_of(network: nn.Module, *, without: tuple[type[nn.Module], ...]) -> Iterator[tuple[str, nn.Module]]:
    """Every module once, in the order of definition, with its path as if nothing were compiled.

    Args:
        network: any module, itself the first part, with an empty path.
        without: classes that are no part of a network, though they may be inside a LightningModule; what they contain
            is none either.
    """
    apart = {part for module in network.modules() if isinstance(module, without) for part in module.modules()}
    for path, module in network.named_modules():
        if module not in apart:
            yield ".".join(name for name in path.split(".") if name != _COMPILED), module
