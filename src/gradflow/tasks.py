"""What is learned: the loss, the prediction and the scores that belong to a kind of target."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor
from torchmetrics.functional.classification import binary_accuracy, multiclass_accuracy
from torchmetrics.functional.regression import mean_absolute_error, r2_score


@dataclass(frozen=True)
class Task:
    """One kind of target.

    Attributes:
        loss: (outputs, targets) -> scalar mean loss; nats for the two cross-entropies.
        predict: outputs -> one prediction a sample, shape (N,).
        score: (predictions, targets) -> scores by name.
        headline: the score that a table shows.
        monitor: what validation chooses the best epoch by.
        mode: whether `max` or `min` of the monitored value is best.
    """

    loss: Callable[[Tensor, Tensor], Tensor]
    predict: Callable[[Tensor], Tensor]
    score: Callable[[Tensor, Tensor], dict[str, Tensor]]
    headline: str
    monitor: str
    mode: str


def task(kind: str, *, num_outputs: int, target_scale: float = 1.0) -> Task:
    """The task of a data set.

    Args:
        kind: `classification` (cross-entropy on logits of shape (N, classes)), `binary` (binary cross-entropy on one
            logit, shape (N, 1)) or `regression` (mean squared error on one output, shape (N, 1)).
        num_outputs: outputs of the network.
        target_scale: the unit of regression targets, so that `mae` is in the unit of the data; the loss and r2 are
            those of the standardised targets.
    """
    if kind == "classification":
        return Task(
            loss=F.cross_entropy,
            predict=lambda outputs: outputs.argmax(dim=1),
            score=lambda p, y: {"acc": multiclass_accuracy(p, y, num_classes=num_outputs, average="micro")},
            headline="acc",
            monitor="val/acc",
            mode="max",
        )
    if kind == "binary":
        return Task(
            loss=lambda outputs, y: F.binary_cross_entropy_with_logits(outputs[:, 0], y.to(outputs.dtype)),
            predict=lambda outputs: (outputs[:, 0] > 0).long(),
            score=lambda p, y: {"acc": binary_accuracy(p, y)},
            headline="acc",
            monitor="val/acc",
            mode="max",
        )
    assert kind == "regression", kind
    return Task(
        loss=lambda outputs, y: F.mse_loss(outputs[:, 0], y),
        predict=lambda outputs: outputs[:, 0].float(),
        score=lambda p, y: {"mae": mean_absolute_error(p, y) * target_scale, "r2": r2_score(p, y)},
        headline="r2",
        monitor="val/loss",
        mode="min",
    )


def constant_loss(kind: str, targets: Tensor) -> float:
    """The mean loss of the constant prediction that suits the targets best: what is reached without any input.

    Args:
        kind: as for `task`.
        targets: class numbers, or regression targets, shape (N,).

    Returns:
        The entropy of the class shares in nats (with equal classes the logarithm of their number), or the variance of
        the targets (ddof = 0).
    """
    if kind == "regression":
        return float(targets.double().var(correction=0))
    shares = torch.bincount(targets).double() / len(targets)
    return float(torch.special.entr(shares).sum())
