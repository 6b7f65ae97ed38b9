"""What people read instead of the names in commands, folders and tags: of activations, settings, layers and networks.

A name that stands in no table is somebody's own and is left as it is.
"""

import re

ACTIVATIONS = {
    "celu": "CELU",
    "elu": "ELU",
    "gelu": "GELU",
    "hard_swish": "hard swish",
    "hardtanh": "hard tanh",
    "identity": "identity",
    "leaky_relu": "leaky ReLU",
    "maxout": "maxout",
    "mish": "Mish",
    "prelu": "PReLU",
    "relu": "ReLU",
    "relu6": "ReLU6",
    "rrelu": "RReLU",
    "selu": "SELU",
    "sigmoid": "sigmoid",
    "silu": "SiLU",
    "softplus": "softplus",
    "softsign": "softsign",
    "tanh": "tanh",
}
DATA = {
    "cifar10": "CIFAR-10",
    "circles": "circles",
    "diabetes": "diabetes",
    "digits": "digits",
    "fashion_mnist": "Fashion-MNIST",
    "folder": "images of a folder",
    "mnist": "MNIST",
    "moons": "moons",
}
NETWORKS = {
    "conv": "conv stack",
    "lenet5": "LeNet-5",
    "mlp": "MLP",
    "resnet": "ResNet",
    "vit": "vision transformer",
}
_AXES = {
    "activation": "activation",
    "batch_norm": "batch norm's statistics",
    "blocks": "hidden blocks",
    "data": "data",
    "data.batch_size": "batch size",
    "data.split_seed": "seed of the split",
    "init": "initialisation",
    "model": "network",
    "model.kernel_size": "kernel size",
    "model.norm": "normalisation",
    "model.residual": "residual connections",
    "module": "module",
    "optimizer": "optimizer",
    "optimizer.lr": "learning rate",
    "optimizer.weight_decay": "weight decay",
    "schedule": "schedule",
    "trainer.gradient_clip_val": "gradient clipping",
    "trainer.max_epochs": "epochs",
    "width": "width",
}
_SETTINGS = {
    "model.norm=none": "without normalisation",
    "model.norm=batch": "with batch normalisation",
    "model.norm=layer": "with layer normalisation",
    "model.norm=group": "with group normalisation",
    "init=he": "He initialisation",
    "init=keras": "Keras's initialisation",
    "init=lecun": "LeCun initialisation",
    "init=orthogonal": "orthogonal initialisation",
    "init=torch": "PyTorch's initialisation",
    "init=xavier": "Xavier initialisation",
    "optimizer=adam": "Adam",
    "optimizer=adamw": "AdamW",
    "optimizer=rmsprop": "RMSprop",
    "optimizer=sgd": "SGD",
    "optimizer=sgd_momentum": "SGD with momentum",
    "schedule=none": "constant learning rate",
    **{f"data={name}": words for name, words in DATA.items()},
    **{f"model={name}": words for name, words in NETWORKS.items()},
}
_PARAMETERS = re.compile(r"(\w+)\((.+)\)")
_SETTING = re.compile(r"~?[\w.@/]+=")
_BETWEEN_SETTINGS = re.compile(r", (?=~?[\w.@/]+=)")  # a value may have commas too
_LAYER = re.compile(r"(?P<number>\d+)_(?P<kind>[a-z_]+)")
_AT_AN_END = ("stem", "head")  # layers of which a network has one
_DEFAULT = "default"  # stands for the value of a setting that a command left out


def activation_words(name: str) -> str:
    """`ReLU` for `relu`, `leaky ReLU (negative slope 0.2)` for `leaky_relu(negative_slope=0.2)`.

    Where a study has no activations, `name` is the setting that it compares: `hidden 32` for `module.hidden=32`.
    """
    if _SETTING.match(name):
        return setting_words(name)
    if (found := _PARAMETERS.fullmatch(name)) is not None:
        return f"{ACTIVATIONS.get(found[1], found[1])} ({setting_words(found[2])})"
    return ACTIVATIONS.get(name, name)


def axis_words(axis: str) -> str:
    """`learning rate` for `optimizer.lr`; of an axis that is in no table its last part, `hidden size`."""
    return _AXES.get(axis, axis.rpartition(".")[2].replace("_", " ").strip())


def setting_words(settings: str) -> str:
    """`with batch normalisation, learning rate 0.1` for `model.norm=batch, optimizer.lr=0.1`; empty for no setting."""
    return ", ".join(map(_one_setting, _BETWEEN_SETTINGS.split(settings))) if settings else ""


def _one_setting(setting: str) -> str:
    axis, has_value, value = setting.partition("=")
    if setting in _SETTINGS or not has_value:
        return _SETTINGS.get(setting, setting)
    if value.lower() in ("true", "false"):
        return f"{'with' if value.lower() == 'true' else 'without'} {axis_words(axis)}"
    return f"{_DEFAULT} {axis_words(axis)}" if value == _DEFAULT else f"{axis_words(axis)} {value}"


def blocks_words(blocks: int) -> str:
    """`4 blocks`, `1 block`."""
    return f"{blocks} block{'' if blocks == 1 else 's'}"


def layer_words(layer: str) -> str:
    """`block 3` for `03_block`, `stem` for `00_stem`; a name of somebody's own, `03_layer1.0.conv2`, stays as it is."""
    if (found := _LAYER.fullmatch(layer)) is None:
        return layer
    kind, number = found["kind"].replace("_", " "), int(found["number"])
    return kind if kind in _AT_AN_END else f"{kind} {number}"


def capital(text: str) -> str:
    """The text as a sentence begins."""
    return text[:1].upper() + text[1:]


def listed(parts: list[str], *, last: str = "and") -> str:
    """`a, b and c`."""
    *others, final = parts
    return f"{', '.join(others)} {last} {final}" if others else final


def count(number: int, noun: str) -> str:
    """`1 seed`, `3 seeds`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
