"""The formulas of torch's optimizers without their bookkeeping, so that they can be part of a compiled graph.

Each is that of `torch.optim`, in whose state the moments stay: a checkpoint is the optimizer's own. What a schedule
may change comes as a tensor of numbers, so that a change compiles nothing anew.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.optim import SGD, Adam, AdamW, Optimizer, RMSprop

Group = Mapping[str, Any]  # an optimizer's options for some of its parameters


@dataclass(frozen=True)
class UpdateRule:
    """One optimizer's formula.

    Attributes:
        moments: the names of a parameter's tensors in the optimizer's state.
        numbers: what the formula takes of a group and of the number of the update, counted from 1.
        update: changes a parameter and its moments in place, given the gradient, the moments and the numbers, a
            float64 of shape (numbers,).
    """

    moments: tuple[str, ...]
    numbers: Callable[[Group, int], Sequence[float]]
    update: Callable[[Tensor, Tensor, Sequence[Tensor], Tensor], None]


def rules(optimizer: Optimizer) -> list[UpdateRule] | None:
    """The rule of each group; None if any has an option that no rule here covers, or the optimizer is another one."""
    make = _RULES.get(type(optimizer))
    if make is None:
        return None
    found = [make(group) for group in optimizer.param_groups]
    return None if None in found else [rule for rule in found if rule is not None]


def _adam(group: Group) -> UpdateRule | None:
    if group["amsgrad"] or group["maximize"] or group["differentiable"]:
        return None
    decoupled = group["decoupled_weight_decay"]
    decays = group["weight_decay"] != 0

    def numbers(group: Group, step: int) -> Sequence[float]:
        beta1, beta2 = group["betas"]
        rate, decay = float(group["lr"]), group["weight_decay"]
        size, root = rate / (1 - beta1**step), (1 - beta2**step) ** 0.5
        return 1 - beta1, beta2, 1 - beta2, size, root, group["eps"], 1 - rate * decay if decoupled else decay

    def update(parameter: Tensor, gradient: Tensor, moments: Sequence[Tensor], numbers: Tensor) -> None:
        first, second = moments
        new1, old2, new2, size, root, epsilon, decay = numbers.unbind()
        if decays and decoupled:
            parameter.mul_(decay)
        elif decays:
            gradient = gradient + decay * parameter
        first.lerp_(gradient, new1.to(gradient.dtype))
        second.mul_(old2).add_(new2 * gradient * gradient)
        parameter.sub_(size * first / (second.sqrt() / root + epsilon))

    return UpdateRule(("exp_avg", "exp_avg_sq"), numbers, update)


def _sgd(group: Group) -> UpdateRule | None:
    if group["maximize"] or group["differentiable"]:
        return None
    has_momentum, nesterov = group["momentum"] != 0, group["nesterov"]
    decays = group["weight_decay"] != 0
    if decays and not has_momentum:
        return None  # nothing in the state tells which parameters have a gradient; the others must not decay

    def numbers(group: Group, step: int) -> Sequence[float]:
        return float(group["lr"]), group["momentum"], 1 - group["dampening"], group["weight_decay"]

    def update(parameter: Tensor, gradient: Tensor, moments: Sequence[Tensor], numbers: Tensor) -> None:
        rate, momentum, new, decay = numbers.unbind()
        if decays:
            gradient = gradient + decay * parameter
        if has_momentum:
            (velocity,) = moments
            velocity.mul_(momentum).add_(new * gradient)
            gradient = gradient + momentum * velocity if nesterov else velocity
        parameter.sub_(rate * gradient)

    return UpdateRule(("momentum_buffer",) if has_momentum else (), numbers, update)


def _rmsprop(group: Group) -> UpdateRule | None:
    if group["maximize"] or group["differentiable"] or group["centered"] or group["momentum"]:
        return None
    decays = group["weight_decay"] != 0

    def numbers(group: Group, step: int) -> Sequence[float]:
        return float(group["lr"]), group["alpha"], 1 - group["alpha"], group["eps"], group["weight_decay"]

    def update(parameter: Tensor, gradient: Tensor, moments: Sequence[Tensor], numbers: Tensor) -> None:
        (second,) = moments
        rate, old, new, epsilon, decay = numbers.unbind()
        if decays:
            gradient = gradient + decay * parameter
        second.mul_(old).add_(new * gradient * gradient)
        parameter.sub_(rate * gradient / (second.sqrt() + epsilon))

    return UpdateRule(("square_avg",), numbers, update)


_RULES: dict[type[Optimizer], Callable[[Group], UpdateRule | None]] = {
    Adam: _adam,
    AdamW: _adam,
    SGD: _sgd,
    RMSprop: _rmsprop,
}
