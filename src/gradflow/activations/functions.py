"""Which function of torch computes what: a call such as `F.leaky_relu(z, 0.2)` as the module that is the same function.

What is known about that module (slope, largest slope, ...) then holds for the call.
"""

import inspect
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from gradflow.activations.closed_forms import CLOSED_FORMS
from gradflow.activations.probes import acts_entry_by_entry, is_affine

# By the name that torch's overrides give a function and a method; one that works in place has a trailing underscore.
FUNCTIONS: dict[str, type[nn.Module]] = {
    "celu": nn.CELU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "hardshrink": nn.Hardshrink,
    "hardsigmoid": nn.Hardsigmoid,
    "hardswish": nn.Hardswish,
    "hardtanh": nn.Hardtanh,
    "leaky_relu": nn.LeakyReLU,
    "log_sigmoid": nn.LogSigmoid,
    "mish": nn.Mish,
    "prelu": nn.PReLU,
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "rrelu": nn.RReLU,
    "selu": nn.SELU,
    "sigmoid": nn.Sigmoid,
    "silu": nn.SiLU,
    "softplus": nn.Softplus,
    "softshrink": nn.Softshrink,
    "softsign": nn.Softsign,
    "special_expit": nn.Sigmoid,
    "tanh": nn.Tanh,
    "tanhshrink": nn.Tanhshrink,
    "threshold": nn.Threshold,
    "_threshold": nn.Threshold,  # what F.threshold is
}


def module_of_call(name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> nn.Module:
    """The module that computes what a call computes in evaluation mode.

    Args:
        name: one of `FUNCTIONS`.
        args: the call's positional arguments, the input first; the others are in the order of the module's own.
        kwargs: its keyword arguments.
    """
    kind = FUNCTIONS[name]
    if kind is nn.PReLU:
        weight = args[1] if len(args) > 1 else kwargs["weight"]
        module = nn.PReLU(weight.numel())
        module.weight = nn.Parameter(weight.detach(), requires_grad=False)
        return module
    names = [name for name in inspect.signature(kind).parameters if name != "inplace"]
    given = dict(zip(names, args[1:], strict=False))  # what follows is inplace, training or a generator
    return kind(**given, **{name: value for name, value in kwargs.items() if name in names})


def is_activation(module: nn.Module) -> bool:
    """Whether a module of any network is an elementwise function that bends: torch's, or one of somebody's own.

    Somebody's own is found by probing, which only leaves without weight matrices and with one input undergo.
    """
    kind = type(module)
    if kind.__module__.startswith("torch.nn."):
        return kind in FUNCTIONS.values()
    if kind in CLOSED_FORMS:
        return kind is not nn.Identity
    return _could_be_elementwise(module) and _bends_entry_by_entry(module)


def _could_be_elementwise(module: nn.Module) -> bool:
    tensors = [*module.parameters(), *module.buffers()]
    if next(module.children(), None) is not None or any(max(t.shape, default=1) != t.numel() for t in tensors):
        return False
    parameters = inspect.signature(type(module).forward).parameters.values()
    needed = [p for p in parameters if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return len(needed) == 2  # self and the input


def _bends_entry_by_entry(module: nn.Module) -> bool:
    """Any module may be asked, also one that refuses a small matrix of numbers."""
    with warnings.catch_warnings(), torch.inference_mode(False), torch.no_grad():
        warnings.simplefilter("ignore")
        try:
            return acts_entry_by_entry(module) and not is_affine(module)
        except Exception:
            return False
