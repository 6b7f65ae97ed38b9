"""Code to copy: a whole small network with an activation and initial weights that suit it, in PyTorch and in Keras.

`{key}` in a snippet stands for a parameter, by torch's name.
"""

from dataclasses import dataclass

_TORCH = """\
from torch import nn

network = nn.Sequential(
    nn.Linear(2, 64), {layer},
    nn.Linear(64, 64), {layer},
    nn.Linear(64, 2),  # logits of two classes, for nn.CrossEntropyLoss()
)
for layer in network[:-1]:  # the last one has no activation after it
    if isinstance(layer, nn.Linear):
        {weights}
        nn.init.zeros_(layer.bias)
"""
_KERAS = """\
import keras

network = keras.Sequential([
    keras.Input((2,)),
    {hidden}
    {hidden}
    keras.layers.Dense(2),  # logits of two classes
])
network.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
"""
_TORCH_MAXOUT = """\
import torch
from torch import nn


class Maxout(nn.Module):
    def __init__(self, inputs, units):
        super().__init__()
        self.first, self.second = nn.Linear(inputs, units), nn.Linear(inputs, units)

    def forward(self, x):
        return torch.maximum(self.first(x), self.second(x))


network = nn.Sequential(
    Maxout(2, 64),
    Maxout(64, 64),
    nn.Linear(64, 2),  # logits of two classes, for nn.CrossEntropyLoss()
)
"""
_KERAS_MAXOUT = """\
import keras


def maxout(x, units):
    return keras.layers.Maximum()([keras.layers.Dense(units)(x), keras.layers.Dense(units)(x)])


inputs = keras.Input((2,))
logits = keras.layers.Dense(2)(maxout(maxout(inputs, 64), 64))
network = keras.Model(inputs, logits)
network.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
"""
_KERAS_RRELU = """\
import keras


class RReLU(keras.layers.Layer):  # Keras has none
    def __init__(self, lower, upper):
        super().__init__()
        self.lower, self.upper = lower, upper
        self.draws = keras.random.SeedGenerator()

    def call(self, z, training=False):
        slope = (self.lower + self.upper) / 2
        if training:
            slope = keras.random.uniform(keras.ops.shape(z), self.lower, self.upper, seed=self.draws)
        return keras.ops.where(z > 0, z, slope * z)


def he():
    return keras.initializers.VarianceScaling(2 / (1 + (({lower} + {upper}) / 2) ** 2))


network = keras.Sequential([
    keras.Input((2,)),
    keras.layers.Dense(64, kernel_initializer=he()), RReLU({lower}, {upper}),
    keras.layers.Dense(64, kernel_initializer=he()), RReLU({lower}, {upper}),
    keras.layers.Dense(2),  # logits of two classes
])
network.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
"""
# Initial weights in torch.
_HE = 'nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")'
_HE_LEAKY = 'nn.init.kaiming_normal_(layer.weight, a={slope}, nonlinearity="leaky_relu")'
_XAVIER = "nn.init.xavier_normal_(layer.weight)"
_LECUN = 'nn.init.kaiming_normal_(layer.weight, nonlinearity="linear")'


@dataclass(frozen=True)
class Snippet:
    """One network.

    Attributes:
        torch: the code, with `{key}` for parameters.
        keras: the same for Keras 3.
        weights: the initial weights in words.
    """

    torch: str
    keras: str
    weights: str


def _snippet(layer: str, torch_weights: str, hidden: str, weights: str) -> Snippet:
    return Snippet(
        _TORCH.replace("{layer}", layer).replace("{weights}", torch_weights),
        _KERAS.replace("{hidden}", hidden),
        weights,
    )


def _dense(activation: str, weights: str) -> str:
    """A layer in Keras, whose activation is the text of an argument, or a layer of its own."""
    if activation.startswith("keras.layers."):
        return f'keras.layers.Dense(64, kernel_initializer="{weights}"),\n    {activation},'
    return f'keras.layers.Dense(64, activation={activation}, kernel_initializer="{weights}"),'


def _he(layer: str, activation: str) -> Snippet:
    return _snippet(layer, _HE, _dense(activation, "he_normal"), "He, as for ReLU")


def _he_leaky(layer: str, slope: str, activation: str) -> Snippet:
    """With He initialisation for a slope below zero."""
    scaled = f"keras.initializers.VarianceScaling(2 / (1 + {slope}**2))"
    hidden = f"keras.layers.Dense(\n        64, kernel_initializer={scaled}\n    ),\n    {activation},"
    return _snippet(layer, _HE_LEAKY.replace("{slope}", slope), hidden, "He, for this slope below zero")


def _xavier(layer: str, activation: str) -> Snippet:
    return _snippet(layer, _XAVIER, _dense(activation, "glorot_normal"), "Xavier (Glorot)")


SNIPPETS = {
    "identity": _xavier("nn.Identity()", '"linear"'),
    "sigmoid": _xavier("nn.Sigmoid()", '"sigmoid"'),
    "tanh": _xavier("nn.Tanh()", '"tanh"'),
    "relu": _he("nn.ReLU()", '"relu"'),
    "leaky_relu": _he_leaky(
        "nn.LeakyReLU({negative_slope})", "{negative_slope}", "keras.layers.LeakyReLU(negative_slope={negative_slope})"
    ),
    "prelu": _he_leaky(
        "nn.PReLU(init={init})",
        "{init}",
        "keras.layers.PReLU(alpha_initializer=keras.initializers.Constant({init}), shared_axes=[1])",
    ),
    "rrelu": Snippet(
        _TORCH.replace("{layer}", "nn.RReLU({lower}, {upper})").replace(
            "{weights}", _HE_LEAKY.replace("{slope}", "({lower} + {upper}) / 2")
        ),
        _KERAS_RRELU,
        "He, for the mean slope below zero",
    ),
    "elu": _he("nn.ELU(alpha={alpha})", "keras.layers.ELU(alpha={alpha})"),
    "celu": _he(
        "nn.CELU(alpha={alpha})", "keras.layers.Activation(lambda z: keras.activations.celu(z, alpha={alpha}))"
    ),
    "selu": _snippet(
        "nn.SELU()",
        _LECUN,
        _dense('"selu"', "lecun_normal"),
        "LeCun, which SELU was made for",
    ),
    "gelu": _he("nn.GELU()", '"gelu"'),
    "silu": _he("nn.SiLU()", '"silu"'),
    "mish": _he("nn.Mish()", '"mish"'),
    "softplus": _xavier(
        "nn.Softplus(beta={beta})", "keras.layers.Activation(lambda z: keras.ops.softplus({beta} * z) / {beta})"
    ),
    "softsign": _xavier("nn.Softsign()", '"softsign"'),
    "hardtanh": _xavier(
        "nn.Hardtanh({min_val}, {max_val})",
        "keras.layers.Activation(lambda z: keras.ops.clip(z, {min_val}, {max_val}))",
    ),
    "relu6": _he("nn.ReLU6()", '"relu6"'),
    "hard_swish": _he("nn.Hardswish()", '"hard_silu"'),
    "maxout": Snippet(_TORCH_MAXOUT, _KERAS_MAXOUT, "each framework's own"),
}
