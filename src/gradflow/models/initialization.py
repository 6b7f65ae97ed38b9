"""Initial weights: every layer draws from its own stream, so that a change elsewhere does not change its draws."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gradflow.activations import gain
from gradflow.errors import ConfigError
from gradflow.models.layers import Layer, declared_layers
from gradflow.seeds import Stream, torch_seed

Affine = nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d

_DISTRIBUTIONS: dict[str, tuple[str | None, ...]] = {
    "torch": ("uniform",),
    "he": ("uniform", "normal"),
    "xavier": ("uniform", "normal"),
    "lecun": ("uniform", "normal"),
    "orthogonal": (None,),
    "keras": ("uniform",),
}
_BIASES = ("zero", "uniform")


class Initializer:
    """Redraws weights and biases of a network.

    | scheme | standard deviation of a weight | source |
    | --- | --- | --- |
    | torch | 1 / sqrt(3 fan_in) | `reset_parameters` of nn.Linear and nn.Conv2d |
    | he | gain / sqrt(fan_in) | He et al. 2015, arXiv:1502.01852 |
    | xavier | gain sqrt(2 / (fan_in + fan_out)) | Glorot & Bengio 2010, PMLR 9:249 |
    | lecun | 1 / sqrt(fan_in) | LeCun et al. 1998, Efficient BackProp |
    | orthogonal | rows or columns orthogonal, of length gain | Saxe et al. 2013, arXiv:1312.6120 |
    | keras | xavier with gain 1 | default of Keras's Dense and Conv2D |

    The gain is `gradflow.activations.gain` of the activation that follows the layer, 1 for the head.

    Args:
        scheme: a row of the table.
        distribution: of the weights, uniform or normal; the torch and keras schemes are uniform by definition; None
            stands for orthogonal's own.
        bias: zero, or uniform in ±1 / sqrt(fan_in) as in torch.

    Raises:
        ConfigError: if a word is unknown, or the scheme has no such distribution.
    """

    def __init__(self, scheme: str, distribution: str | None, bias: str) -> None:
        if scheme not in _DISTRIBUTIONS:
            raise ConfigError(f"init.scheme={scheme}: choose one of {', '.join(_DISTRIBUTIONS)}")
        if distribution not in _DISTRIBUTIONS[scheme]:
            legal = " or ".join(str(word or "null") for word in _DISTRIBUTIONS[scheme])
            raise ConfigError(f"init.distribution={distribution}: init.scheme={scheme} takes {legal}")
        if bias not in _BIASES:
            raise ConfigError(f"init.bias={bias}: choose one of {', '.join(_BIASES)}")
        self.scheme = scheme
        self.distribution = distribution
        self.bias = bias

    def draw(self, network: nn.Module, activation: nn.Module, *, num_outputs: int, seed: int) -> None:
        """Redraw a network in place, by its `layers` or, where it has none, as other people's networks.

        Of these, the torch scheme leaves the weights as their modules drew them. The other schemes redraw every Linear
        and Conv layer, in the order in which the network registers them, with the gain of the swept activation, and
        with gain 1 for the output layer: the last one that has as many outputs as the network.

        Args:
            network: any network.
            activation: one like those of the network.
            num_outputs: of the network.
            seed: of the run.
        """
        if layers := declared_layers(network):
            self.apply(layers, seed)
            return
        affine = [module for module in network.modules() if isinstance(module, Affine)]
        if self.scheme == "torch":
            for bias in (one.bias for one in affine if one.bias is not None and self.bias == "zero"):
                nn.init.zeros_(bias)
            return
        outputs = [one for one in affine if one.weight.shape[0] == num_outputs] or affine
        self.apply([Layer("", one, None if one is outputs[-1] else activation) for one in affine], seed)

    @torch.no_grad()
    def apply(self, layers: Sequence[Layer], seed: int) -> None:
        """Redraw every layer in place.

        A layer's draws depend on the seed, its place in the list and its shape, and on nothing else; the activation
        enters only as the gain that scales them. They are made on the CPU in float32, so every device gets the same.

        Args:
            layers: of one network, in forward order.
            seed: of the run, at least 0. Layer k uses the weight stream's index k + 1; index 0 is for what the
                modules themselves draw when they are built, such as a custom activation's parameters.
        """
        for index, layer in enumerate(layers):
            generator = torch.Generator().manual_seed(torch_seed(seed, Stream.WEIGHTS, index + 1))
            layer.affine.weight.copy_(self._weight(layer, generator))
            if layer.affine.bias is not None:
                layer.affine.bias.copy_(self._bias(layer.affine, generator))

    def _weight(self, layer: Layer, generator: torch.Generator) -> Tensor:
        weight = torch.empty(layer.affine.weight.shape)
        if self.scheme == "orthogonal":
            return nn.init.orthogonal_(weight, gain=_gain(layer), generator=generator)
        if self.distribution == "normal":
            return weight.normal_(generator=generator) * self._standard_deviation(layer)
        return weight.uniform_(-1, 1, generator=generator) * (math.sqrt(3) * self._standard_deviation(layer))

    def _standard_deviation(self, layer: Layer) -> float:
        fan_in, fan_out = _fans(layer.affine)
        match self.scheme:
            case "torch":
                return 1 / math.sqrt(3 * fan_in)
            case "he":
                return _gain(layer) / math.sqrt(fan_in)
            case "lecun":
                return 1 / math.sqrt(fan_in)
            case "xavier":
                return _gain(layer) * math.sqrt(2 / (fan_in + fan_out))
            case _:
                return math.sqrt(2 / (fan_in + fan_out))

    def _bias(self, affine: Affine, generator: torch.Generator) -> Tensor:
        bias = torch.zeros(affine.weight.shape[0])
        if self.bias == "zero":
            return bias
        return bias.uniform_(-1, 1, generator=generator) / math.sqrt(_fans(affine)[0])


def _gain(layer: Layer) -> float:
    return 1.0 if layer.activation is None else gain(layer.activation)


def _fans(affine: Affine) -> tuple[int, int]:
    """How many inputs an output entry sums over, and how many outputs an input entry goes to."""
    return affine.weight[0].numel(), affine.weight[:, 0].numel()
