"""One pass over a set of samples, training or evaluation, and the scores that it ends in."""

import torch
from torch import Tensor, distributed
from torchmetrics.utilities.distributed import gather_all_tensors

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
        """Mean loss over all samples and the task's scores, tagged `<prefix>/<name>`; the pass starts anew.

        The samples are those of all processes that train the run.
        """
        losses = _everywhere(torch.stack(self._losses)).cpu().double()
        sizes = _everywhere(torch.tensor([len(y) for y in self._targets], device=self._losses[0].device)).cpu()
        outputs, targets = _everywhere(torch.cat(self._outputs)), _everywhere(torch.cat(self._targets))
        scores = self._task.score(self._task.predict(outputs), targets)
        result = {"loss": float((losses * sizes).sum() / sizes.sum())} | {k: float(v) for k, v in scores.items()}
        self._losses, self._outputs, self._targets = [], [], []
        return {f"{prefix}/{name}": value for name, value in result.items()}


def _everywhere(values: Tensor) -> Tensor:
    """The rows that the processes of this run hold, one process after the other."""
    if distributed.is_available() and distributed.is_initialized():
        return torch.cat(gather_all_tensors(values))
    return values
