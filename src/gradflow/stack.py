"""Several networks of one configuration trained as one: their weights stacked along a first axis of seeds.

Each seed keeps its own initial weights, batches, BatchNorm statistics and optimizer state. The stacked tensors are the
memory of the single ones: a seed's parameters, buffers and optimizer state are views of its slice, so that whatever
looks at a seed's own module (validation, monitors, checkpoints) finds it as if it had been trained alone.

Shape letters: R seeds, B samples of a batch, T tensors, K steps.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call, vmap

from gradflow import measure
from gradflow.checkpoint_io import by_itself
from gradflow.data.loader import Chunk
from gradflow.module import ActivationModule
from gradflow.update_count import count_update

Tensors = dict[str, Tensor]  # by the names of a network


class Stack:
    """R modules that stand at the same step.

    Args:
        modules: on one device, each with its trainer and optimizer; they differ in seed only.
    """

    def __init__(self, modules: Sequence[ActivationModule]) -> None:
        self.modules = tuple(modules)
        first = modules[0]
        self._parameters = {
            name: _stacked([dict(module.network.named_parameters())[name] for module in modules])
            for name, _ in first.network.named_parameters()
        }
        self._buffers = {
            name: _stacked([dict(module.network.named_buffers())[name] for module in modules])
            for name, _ in first.network.named_buffers()
        }
        trained = [name for name, p in first.network.named_parameters() if p.requires_grad]
        self._trained = [self._parameters[name].requires_grad_() for name in trained]
        self._optimizer = first.make_optimizer(self._trained)
        self._gather_state()
        self.shares_state = False  # whether what the seeds have is views of the stack

    def _gather_state(self) -> None:
        """Go on with the optimizer states that the seeds have, from a checkpoint or from training apart."""
        for i, parameter in enumerate(self._trained):
            states = [module.trainer.optimizers[0].state.get(module.trained[i], {}) for module in self.modules]
            if states[0]:
                self._optimizer.state[parameter] = {
                    key: _stacked([state[key] for state in states])
                    if _is_per_entry(value, self.modules[0].trained[i])
                    else (value.clone() if isinstance(value, Tensor) else value)
                    for key, value in states[0].items()
                }

    def update_with_each(self, chunks: Sequence[Chunk]) -> None:
        """An update of every network with each batch of its own chunk; every module's step table gets its rows."""
        (group,), (own,) = self._optimizer.param_groups, self.modules[0].trainer.optimizers[0].param_groups
        group.update({key: value for key, value in own.items() if key != "params"})  # a schedule changes the rate
        keeps_abs_sums = self.modules[0].keeps_abs_sums
        for k in range(len(chunks[0])):
            losses_R, outputs_RB, targets_RB = self._losses([chunk.indices[k] for chunk in chunks], chunks[0])
            for parameter in self._trained:
                parameter.grad = None
            losses_R.sum().backward()  # no seed's loss depends on the weights of another
            gradients = [(p.grad if p.grad is not None else torch.zeros_like(p)).flatten(1) for p in self._trained]
            norms_RT = measure.stacked_gradient_norms(gradients)
            parts = [losses_R.detach()[:, None], norms_RT]
            if keeps_abs_sums:
                parts.append(measure.stacked_gradient_abs_sums(gradients))
            self._optimizer.step()
            self._hand_out(parts, outputs_RB.detach(), targets_RB)
            if not self.shares_state:
                self._share()
            for module in self.modules:
                count_update(module.trainer)

    def _losses(self, indices: Sequence[Tensor], chunk: Chunk) -> tuple[Tensor, Tensor, Tensor]:
        """Loss (R,), outputs (R, B, ...) and targets (R, B) of the batches with these row numbers, one a seed."""
        trainer = self.modules[0].trainer
        batch = trainer.precision_plugin.convert_input(chunk.loader.batch(torch.cat(list(indices))))
        x_RB, y_RB = (part.unflatten(0, (len(self.modules), -1)) for part in batch)
        with trainer.precision_plugin.forward_context():
            parameters = {name: _turned(stacked) for name, stacked in self._parameters.items()}
            losses_R, outputs_RB = vmap(self._loss)(parameters, self._buffers, x_RB, y_RB)
        return losses_R, outputs_RB, y_RB

    def _loss(self, parameters: Tensors, buffers: Tensors, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Loss and outputs of one network."""
        outputs = functional_call(self.modules[0].network, (parameters, buffers), (x,))
        return self.modules[0].task.loss(outputs, y), outputs

    def _hand_out(self, parts: Sequence[Tensor], outputs_RB: Tensor, targets_RB: Tensor) -> None:
        for r, module in enumerate(self.modules):
            module.note_step([part[r] for part in parts], outputs_RB[r], targets_RB[r])

    def _share(self) -> None:
        """Make what the seeds have of their own views of the stack, once the optimizer has made its state."""
        for r, module in enumerate(self.modules):
            for tensors, stacked in (
                (module.network.named_parameters(), self._parameters),
                (module.network.named_buffers(), self._buffers),
            ):
                for name, tensor in tensors:
                    tensor.data = _turned(stacked[name].detach())[r]
            optimizer = module.trainer.optimizers[0]
            optimizer._opt_called = True  # type: ignore[attr-defined]  # a schedule looks for it, and would warn
            state = optimizer.state
            for own, parameter in zip(module.trained, self._trained, strict=True):
                state[own] = {
                    key: _turned(value)[r] if _is_per_entry(value, parameter) else value
                    for key, value in self._optimizer.state.get(parameter, {}).items()
                }
        self.shares_state = True

    def dissolve(self) -> None:
        """Give every seed memory of its own again."""
        if not self.shares_state:
            return
        for module in self.modules:
            for tensor in (*module.network.parameters(), *module.network.buffers()):
                tensor.data = by_itself(tensor.detach())
            state = module.trainer.optimizers[0].state
            for own in module.trained:
                state[own] = {
                    key: by_itself(value) if isinstance(value, Tensor) else value for key, value in state[own].items()
                }


def _stacked(tensors: Sequence[Tensor]) -> Tensor:
    """The tensors along a new first axis; matrices (outputs, inputs) as (inputs, outputs).

    That is how the batched product yields the gradient of its weights, which would be copied otherwise.
    """
    return torch.stack([tensor.detach().T if tensor.dim() == 2 else tensor.detach() for tensor in tensors])


def _turned(stacked: Tensor) -> Tensor:
    """A view of stacked tensors in which each has its own shape again."""
    return stacked.transpose(1, 2) if stacked.dim() == 3 else stacked


def _is_per_entry(value: Any, parameter: Tensor) -> bool:
    return isinstance(value, Tensor) and value.shape == parameter.shape
