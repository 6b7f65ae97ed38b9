"""One update of the weights as one compiled graph: forward pass, loss, gradient, its norms, optimizer.

PyTorch makes about a hundred calls per update of a small MLP, which take longer than the arithmetic. Compiled as a
whole they are one, and gradients are measured and used while they are in the cache.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value
from torch.optim import Optimizer

from gradflow.data.loader import Batch
from gradflow.measure.gradients import wide_gradient_row
from gradflow.training.update_rules import UpdateRule, rules

OPTIONS: dict[str, str | int | bool | Callable] = {"fallback_random": True}  # random numbers as without compilation
# Compiled as a whole, a stack of these gains nothing over its forward and backward pass compiled alone (measured).
CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)

Loss = Callable[[Tensor, Tensor], Tensor]
Tensors = dict[str, Tensor]  # by their names in the network


class Updated(NamedTuple):
    """What is known of an update: the loss of its batch, a scalar, the outputs, shape (N, ...), the gradient's row."""

    loss: Tensor
    outputs: Tensor
    row: list[Tensor]


class CompiledUpdate:
    """Updates a network as its optimizer would, but for rounding.

    The optimizer must have made one update before, which creates its state.

    Args:
        network: in training mode.
        loss: (outputs, targets) -> scalar.
        optimizer: of all its trainable parameters, whose state stays the optimizer's.
        rules: of the optimizer's groups.
        abs_sums: whether the gradients' absolute sums are recorded too.
    """

    def __init__(
        self, network: nn.Module, loss: Loss, optimizer: Optimizer, rules: Sequence[UpdateRule], *, abs_sums: bool
    ) -> None:
        self._optimizer, self._rules = optimizer, rules
        self._buffers = dict(network.named_buffers())
        self._parameters: Tensors = {name: one for name, one in network.named_parameters() if one.requires_grad}
        names = {id(one): name for name, one in self._parameters.items()}
        groups = [[names[id(one)] for one in group["params"] if id(one) in names] for group in optimizer.param_groups]
        rule_of = {name: (number, rule) for number, rule in enumerate(rules) for name in groups[number]}
        self._moments = {name: rule.moments for name, (_, rule) in rule_of.items()}
        self._uncounted = 0  # updates of which the optimizer's own counters do not know yet
        self._size = 0  # of the batches that the graph is for
        self._graph = torch.compile(
            _graph(network, loss, rule_of, abs_sums=abs_sums), fullgraph=True, dynamic=False, options=OPTIONS
        )

    def takes(self, batch: Batch) -> bool:
        """Whether the batch has the size of the first; another one would be compiled anew."""
        self._size = self._size or len(batch[1])
        return len(batch[1]) == self._size

    def __call__(self, batch: Batch) -> Updated:
        """Make the update of a batch that it takes."""
        self._uncounted += 1
        moments: dict[str, list[Tensor]] = {}
        for name, held in self._moments.items():
            state = self._optimizer.state.get(self._parameters[name], {})
            if all(one in state for one in held):  # a parameter that the network does not use has none, and stays
                moments[name] = [state[one] for one in held]
        with torch.no_grad():
            return self._graph(self._parameters, self._buffers, moments, self._numbers(), *batch)

    def _numbers(self) -> list[Tensor]:
        """What the formula of each group takes, float64."""
        groups = zip(self._rules, self._optimizer.param_groups, strict=True)
        return [torch.tensor(rule.numbers(group, self._step(group)), dtype=torch.float64) for rule, group in groups]

    def _step(self, group: Mapping[str, Sequence[Tensor]]) -> int:
        """The number of the update that is being made."""
        counters = (self._optimizer.state.get(one, {}).get("step") for one in group["params"])
        return int(next((one for one in counters if one is not None), 0)) + self._uncounted

    def settle(self) -> None:
        """Let the optimizer's counters know of all updates: before it makes one itself, or its state is saved."""
        for held in self._optimizer.state.values():
            if "step" in held:
                held["step"] += self._uncounted
        self._uncounted = 0


def _graph(
    network: nn.Module, loss: Loss, rule_of: Mapping[str, tuple[int, UpdateRule]], *, abs_sums: bool
) -> Callable[[Tensors, Tensors, Mapping[str, Sequence[Tensor]], Sequence[Tensor], Tensor, Tensor], Updated]:
    """The update as a function of tensors, for the compiler."""

    def loss_and_rest(parameters: Tensors, buffers: Tensors, x: Tensor, y: Tensor) -> tuple[Tensor, tuple]:
        later = {name: one.clone() for name, one in buffers.items()}  # a gradient's function must not change its inputs
        outputs = functional_call(network, (parameters, later), (x,))
        return loss(outputs, y), (outputs, later)

    def update(
        parameters: Tensors,
        buffers: Tensors,
        moments: Mapping[str, Sequence[Tensor]],
        numbers: Sequence[Tensor],
        x: Tensor,
        y: Tensor,
    ) -> Updated:
        gradients, (value, (outputs, later)) = grad_and_value(loss_and_rest, has_aux=True)(parameters, buffers, x, y)
        for name, one in buffers.items():
            one.copy_(later[name])
        row = wide_gradient_row([gradients[name] for name in parameters], abs_sums=abs_sums)
        for name, held in moments.items():
            group, rule = rule_of[name]
            rule.update(parameters[name], gradients[name], held, numbers[group])
        return Updated(value, outputs, row)

    return update


def compiled_training(
    network: nn.Module, loss: Loss, optimizers: Sequence[Optimizer], *, whole: bool, abs_sums: bool
) -> CompiledUpdate | None:
    """Compile the whole update where that may be and gains something, otherwise the network, whose update is None.

    Args:
        network: on the device that trains it.
        loss: (outputs, targets) -> scalar.
        optimizers: of its parameters.
        whole: whether an update may be one graph: one batch, in the precision of the weights.
        abs_sums: whether the gradients' absolute sums are recorded too.
    """
    torch.compiler.reset()  # the compiler's limits count earlier runs too
    update = compiled_update(network, loss, optimizers, abs_sums=abs_sums) if whole else None
    if update is None:
        network.compile(dynamic=False, options=OPTIONS)  # one kernel per shape, as an epoch has at most two
    return update


def compiled_update(
    network: nn.Module, loss: Loss, optimizers: Sequence[Optimizer], *, abs_sums: bool
) -> CompiledUpdate | None:
    """The update of a network as one graph; None where that gains nothing or an optimizer has no rule here."""
    if any(one.device.type != "cpu" for one in network.parameters()):
        return None  # not measured
    if any(isinstance(module, CONVOLUTIONS) for module in network.modules()):
        return None
    (optimizer,) = optimizers
    found = rules(optimizer)
    return None if found is None else CompiledUpdate(network, loss, optimizer, found, abs_sums=abs_sums)
