"""One pass over a set of samples, training or evaluation, and the scores that it ends in."""

import torch
from torch import Tensor

from gradflow.tasks import Task


class Pass:
    """One pass over a set: what is needed for its mean loss and its scores, kept on the device."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._losses: list[Tensor] = []
        self._outputs: list[Tensor] = []
        self._targets: list[Tensor] = []

    def add(self, loss: Tensor, outputs: Tensor, targets: Tensor) -> None:
        self._losses.append(loss.detach())
        self._outputs.append(outputs.detach())
        self._targets.append(targets)

    def scores(self, prefix: str) -> dict[str, float]:
        """Mean loss over all samples and the task's scores, tagged `<prefix>/<name>`; the pass starts anew."""
        sizes = torch.tensor([len(y) for y in self._targets], dtype=torch.float64)
        losses = torch.stack(self._losses).cpu().double()
        scores = self._task.score(self._task.predict(torch.cat(self._outputs)), torch.cat(self._targets))
        result = {"loss": float((losses * sizes).sum() / sizes.sum())} | {k: float(v) for k, v in scores.items()}
        self._losses, self._outputs, self._targets = [], [], []
        return {f"{prefix}/{name}": value for name, value in result.items()}
