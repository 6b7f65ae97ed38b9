"""What the layers of a network are called in tags, before anything is measured."""

import torch
from torch import Tensor, nn

from gradflow.measure.gradient_sites import ExecutionOrder, gradient_sites
from gradflow.measure.unit_pass import UnitPass
from gradflow.runs import tags


@torch.no_grad()
def layer_names(network: nn.Module, x: Tensor) -> list[str]:
    """The names by which gradients and units of a network are recorded, each once, those of gradients first.

    Args:
        network: in evaluation mode; run once.
        x: a few of its inputs.
    """
    order = ExecutionOrder(network)
    units = UnitPass(network)
    with units:
        network(x)
    order.stop()
    gradients = [site.name for site in gradient_sites(network, order.order)]
    return list(dict.fromkeys([*gradients, *tags.by_layer(units.values(), tags.DORMANT_UNITS)]))
