"""Several seeds of one MLP trained as a single network of batched matrix products, in plain PyTorch."""

import itertools
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class SeedStack:
    """ReLU networks of one shape, their weights stacked along a first axis of R seeds, each fed its own batches.

    Weights have the shape (R, inputs, outputs), in which autograd yields their gradients: `torch.func.vmap` over
    `nn.Linear` has to transpose 8 MB of them in every step and takes a third longer.

    Args:
        widths: units of the input, of every hidden layer and of the output.
        seeds: R.
    """

    def __init__(self, widths: Sequence[int], seeds: int) -> None:
        self.seeds = seeds
        self.weights, self.biases = [], []
        for inputs, outputs in itertools.pairwise(widths):
            layers = [nn.Linear(inputs, outputs) for _ in range(seeds)]
            self.weights.append(torch.stack([layer.weight.detach().T for layer in layers]).requires_grad_())
            self.biases.append(torch.stack([layer.bias.detach()[None] for layer in layers]).requires_grad_())
        self.parameters = [*self.weights, *self.biases]
        self.optimizer = torch.optim.Adam(self.parameters, fused=True)
        self.losses: list[Tensor] = []
        self.norms: list[Tensor] = []

    def outputs(self, x_RNF: Tensor) -> Tensor:
        """Every network's outputs, shape (R, N, classes)."""
        *hidden, (weight, bias) = zip(self.weights, self.biases, strict=True)
        for one_weight, one_bias in hidden:
            x_RNF = torch.baddbmm(one_bias, x_RNF, one_weight).relu_()
        return torch.baddbmm(bias, x_RNF, weight)

    def step(self, x_RNF: Tensor, y_RN: Tensor) -> None:
        outputs = self.outputs(x_RNF)
        losses_R = F.cross_entropy(outputs.flatten(0, 1), y_RN.flatten(), reduction="none").view_as(y_RN).mean(1)
        self.optimizer.zero_grad()
        losses_R.sum().backward()  # no seed's loss depends on the weights of another
        gradients = [p.grad.flatten(1) for p in self.parameters if p.grad is not None]
        self.norms.append(torch.stack([torch.linalg.vector_norm(gradient, dim=1) for gradient in gradients]))
        self.optimizer.step()
        self.losses.append(losses_R.detach())

    @torch.no_grad()
    def evaluate(self, batches: Iterable[tuple[Tensor, Tensor]]) -> Tensor:
        """Accuracy of every seed on batches that they share, shape (R,)."""
        correct_R, total = torch.zeros(self.seeds, dtype=torch.int64), 0
        for x, y in batches:
            outputs = self.outputs(x.expand(self.seeds, *x.shape))
            correct_R += (outputs.argmax(-1) == y).sum(1)
            total += len(y)
        return correct_R / total

    def finish(self) -> Tensor:
        """Mean training loss of every seed, shape (R,); the epoch's losses and norms leave the device."""
        losses_SR, norms_SPR = torch.stack(self.losses), torch.stack(self.norms)
        self.losses, self.norms = [], []
        assert norms_SPR.shape == (len(losses_SR), len(self.parameters), self.seeds)
        return losses_SR.mean(0)
