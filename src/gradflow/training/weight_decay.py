"""Weight decay acts on the weights of the network, not on what an activation function learns."""

from collections.abc import Callable
from typing import Any

from torch import nn
from torch.optim import Optimizer

from gradflow.models.layers import activations_in

DECAY = "weight_decay"


def activation_parameters(network: nn.Module, kind: type[nn.Module] = nn.Identity) -> list[nn.Parameter]:
    """The parameters of the network's activations, such as PReLU's slopes, each once."""
    activations = activations_in(network, kind)
    return list(dict.fromkeys(parameter for one in activations for parameter in one.parameters()))


def optimizer_for(
    network: nn.Module, make: Callable[[Any], Optimizer], kind: type[nn.Module] = nn.Identity
) -> Optimizer:
    """The optimizer of a network, which decays all parameters but those of its activations.

    Decay pulls towards 0, which for a slope means towards ReLU, a function, and not towards a simpler one. Where
    nothing decays or no activation learns there is one group of parameters, as without this rule.

    Args:
        network: any network.
        make: makes the optimizer from parameters or from groups of them.
        kind: the class of its activations, by which they are found where the network has no `layers`.

    Source: He et al. 2015, arXiv:1502.01852, section 2.1.
    """
    optimizer = make(network.parameters())
    if not optimizer.defaults.get(DECAY) or not (spared := activation_parameters(network, kind)):
        return optimizer
    known = {id(parameter) for parameter in spared}
    decayed = [parameter for parameter in network.parameters() if id(parameter) not in known]
    return make([{"params": decayed}, {"params": spared, DECAY: 0.0}])
