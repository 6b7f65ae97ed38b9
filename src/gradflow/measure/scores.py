"""What is learned: the loss, the prediction and the scores that belong to a kind of target."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torchmetrics import Metric, SumMetric
from torchmetrics.classification import (
    BinaryAccuracy,
    MulticlassAccuracy,
    MultilabelAccuracy,
    MultilabelExactMatch,
    MultilabelF1Score,
)
from torchmetrics.metric import CompositionalMetric
from torchmetrics.regression import MeanAbsoluteError, R2Score

from gradflow.errors import ConfigError
from gradflow.measure.answers import Answers
from gradflow.runs import tags

# The output functions that suit a kind of target, the usual one first.
OUTPUTS = {
    "classification": ("softmax",),
    "binary": ("sigmoid",),
    "regression": ("linear", "tanh"),
    "multilabel": ("sigmoid",),
}
BUNDLE = 4096  # samples per update of the scores, which takes as long as a few training steps
TANH_REACH = 0.8  # of the tanh, for the ends of the training targets: at 1 it would never arrive
_KINDS = {
    "classification": "classification",
    "binary": "binary classification",
    "regression": "regression",
    "multilabel": "multilabel classification",
}
_LOSSES = {
    "classification": "one probability a class and their cross-entropy",
    "binary": "one probability and its binary cross-entropy",
    "regression": "a number and its squared error",
    "multilabel": "one probability a label and their binary cross-entropies",
}


@dataclass(frozen=True)
class Task:
    """One kind of target.

    Attributes:
        loss: (outputs, targets) -> scalar mean loss; nats for the two cross-entropies.
        predict: outputs -> one prediction per sample, shape (N,), or one per label or target, shape (N, K).
        meters: makes the metrics of (predictions, targets), by name.
        headline: the score that a table shows.
        monitor: tag of the score by which validation chooses the best epoch.
        mode: whether `max` or `min` of the monitored value is best.
    """

    loss: Callable[[Tensor, Tensor], Tensor]
    predict: Callable[[Tensor], Tensor]
    meters: Callable[[], dict[str, Metric]]
    headline: str
    monitor: str
    mode: str


def task(
    kind: str,
    *,
    num_outputs: int,
    output: str | None = None,
    target_scale: float | np.ndarray = 1.0,
    target_ends: tuple[float, float] | np.ndarray = (-1.0, 1.0),
) -> Task:
    """The task of a data set.

    The output function is part of the loss, which is more accurate than to apply it in the network: softmax and sigmoid
    of large logits round to 0 or 1, whose logarithm has no gradient.

    Args:
        kind: `classification` (cross-entropy on logits of shape (N, classes)), `binary` (binary cross-entropy on one
            logit, shape (N, 1)), `regression` (mean squared error on outputs of shape (N, targets)) or `multilabel`
            (the mean of a binary cross-entropy per label, on logits of shape (N, labels)).
        num_outputs: outputs of the network.
        output: the output function, one of `OUTPUTS[kind]`; None is the first of them.
        target_scale: the unit of regression targets, so that `mae` is in the unit of the data; the loss and r2 are
            those of the standardised targets. Of several targets shape (targets,); loss, r2 and mae are then unweighted
            means over the targets.
        target_ends: smallest and largest standardised training target, which a tanh output reaches at -0.8 and 0.8. Of
            several targets shape (2, targets).

    Raises:
        ConfigError: if the output function does not go with this kind of target.
    """
    assert kind in OUTPUTS, kind
    check_output(output, kind)
    if kind == "classification":
        return Task(
            loss=F.cross_entropy,
            predict=lambda outputs: outputs.argmax(dim=1),
            meters=lambda: {tags.ACC: MulticlassAccuracy(num_outputs, average="micro", validate_args=False)},
            headline=tags.ACC,
            monitor=tags.val(tags.ACC),
            mode="max",
        )
    if kind == "binary":
        return Task(
            loss=lambda outputs, y: F.binary_cross_entropy_with_logits(outputs[:, 0], y.to(outputs.dtype)),
            predict=lambda outputs: (outputs[:, 0] > 0).long(),
            meters=lambda: {tags.ACC: BinaryAccuracy(validate_args=False)},
            headline=tags.ACC,
            monitor=tags.val(tags.ACC),
            mode="max",
        )
    if kind == "multilabel":
        return _multilabel(num_outputs)
    return _regression(num_outputs, output, target_scale, target_ends)


def _multilabel(num_labels: int) -> Task:
    return Task(
        loss=lambda outputs, y: F.binary_cross_entropy_with_logits(outputs, y.to(outputs.dtype)),
        predict=lambda outputs: (outputs > 0).long(),
        meters=lambda: {
            tags.F1: MultilabelF1Score(num_labels, average="macro", validate_args=False),
            tags.LABEL_ACC: MultilabelAccuracy(num_labels, average="micro", validate_args=False),
            tags.EXACT_MATCH: MultilabelExactMatch(num_labels, validate_args=False),
        },
        headline=tags.F1,
        # As long as no label is predicted at all, F1 does not tell one epoch from another.
        monitor=tags.val(tags.LOSS),
        mode="min",
    )


def _regression(
    num_targets: int,
    output: str | None,
    target_scale: float | np.ndarray,
    target_ends: tuple[float, float] | np.ndarray,
) -> Task:
    value = _stretched_tanh(*target_ends) if output == "tanh" else _linear

    def column(outputs: Tensor) -> Tensor:
        """A single target has the shape (N,), as the batch's y."""
        return outputs[:, 0] if num_targets == 1 else outputs

    def mae() -> Metric:
        if num_targets == 1:
            return _in_float64(MeanAbsoluteError()) * target_scale
        by_target = _in_float64(MeanAbsoluteError(num_outputs=num_targets)) * torch.as_tensor(target_scale)
        return CompositionalMetric(torch.mean, by_target, None)

    return Task(
        loss=lambda outputs, y: F.mse_loss(value(column(outputs).to(y.dtype)), y),
        predict=lambda outputs: value(column(outputs).double()),
        meters=lambda: {tags.MAE: mae(), tags.R2: _in_float64(R2Score(multioutput="uniform_average"))},
        headline=tags.R2,
        monitor=tags.val(tags.LOSS),
        mode="min",
    )


def check_output(output: str | None, kind: str) -> None:
    """Refuse an output function that does not go with a kind of target.

    Raises:
        ConfigError: naming the one that does, with its loss.
    """
    known = [name for names in OUTPUTS.values() for name in names]
    if output is not None and output not in known:
        raise ConfigError(f"output={output}: no loss goes with it; choose {', '.join(known)}, or leave output out")
    if output is not None and output not in OUTPUTS[kind]:
        raise ConfigError(
            f"output={output}: the data are a {_KINDS[kind]}, which needs {_LOSSES[kind]}; use "
            f"output={' or output='.join(OUTPUTS[kind])}, or leave output out"
        )


def _in_float64(metric: Metric) -> Metric:
    return metric.set_dtype(torch.float64)


def _linear(z: Tensor) -> Tensor:
    return z


def _stretched_tanh(lowest: float | np.ndarray, highest: float | np.ndarray) -> Callable[[Tensor], Tensor]:
    """tanh, stretched so that -0.8 and 0.8 become the smallest and the largest training target.

    Equivalent to scaling the targets into [-0.8, 0.8], except that the loss stays in the unit of the standardised
    targets, the same for every output function. Targets up to an eighth of the training range outside it are still
    reachable; those further out are not. They are not clipped, and count with their whole error.
    """
    if isinstance(lowest, np.ndarray) or isinstance(highest, np.ndarray):
        centre_K = torch.as_tensor((lowest + highest) / 2)
        half_K = torch.as_tensor((highest - lowest) / 2 / TANH_REACH)
        return lambda z: centre_K.to(z) + half_K.to(z) * torch.tanh(z)
    centre, half = (lowest + highest) / 2, (highest - lowest) / 2 / TANH_REACH
    return lambda z: centre + half * torch.tanh(z)


class Pass:
    """One pass over a set: its mean loss and its scores, over all processes that train the run.

    Args:
        task: says what the scores are.
        device: of the outputs.
        answers: keeps the answer to each sample, if each has one class.
    """

    def __init__(self, task: Task, device: torch.device, *, answers: Answers | None = None) -> None:
        self._device = torch.device("cpu") if device.type == "mps" else device  # MPS has no float64
        # Not MeanMetric: without its NaN check, which stalls an accelerator, it ignores the weights (torchmetrics 1.9).
        self._loss, self._samples = (_in_float64(SumMetric(nan_strategy="disable").to(self._device)) for _ in range(2))
        self._predict, self._meters = task.predict, task.meters()
        self._answers = answers.to(self._device) if answers and tags.ACC in self._meters else None
        for meter in self._meters.values():
            meter.to(self._device)
        self._clear()

    def _clear(self) -> None:
        self._losses: list[Tensor] = []
        self._outputs: list[Tensor] = []
        self._targets: list[Tensor] = []
        self._kept = 0

    def add(self, loss: Tensor, outputs: Tensor, targets: Tensor) -> None:
        """Add a batch: the mean loss of its N samples, their outputs (N, ...) and targets (N,) or (N, K)."""
        self._losses.append(loss.detach())
        self._outputs.append(outputs.detach())
        self._targets.append(targets)
        self._kept += len(targets) or 1  # bounds the memory of a process without samples too
        if self._kept >= BUNDLE:
            self._sum_up()

    def _sum_up(self) -> None:
        """Move the batches collected so far into the sums."""
        sizes = torch.tensor([len(y) for y in self._targets], device=self._device)
        self._loss.update(torch.stack(self._losses).to(self._device).double() * sizes)
        self._samples.update(sizes)
        predictions = self._predict(torch.cat(self._outputs).to(self._device))
        targets = torch.cat(self._targets).to(predictions)
        for meter in self._meters.values():
            if len(targets):  # an update with no sample fails
                meter.update(predictions, targets)
        if self._answers is not None and len(targets):
            self._answers.update(predictions == targets)
        self._clear()

    def scores(self, prefix: str) -> dict[str, float]:
        """Mean loss over all samples and the task's scores, tagged `<prefix>/<name>`; every process must call it."""
        self._finish()
        scores = {tags.LOSS: self._loss.compute() / self._samples.compute()}
        scores |= {name: _computed(meter) for name, meter in self._meters.items()}
        return {f"{prefix}/{name}": float(value) for name, value in scores.items()}

    def answers(self) -> np.ndarray | None:
        """1 right, 0 wrong, -1 not seen, for each sample of the set; None if they are not kept. Every process calls it.

        Shape (size,), int32.
        """
        self._finish()
        return None if self._answers is None else _computed(self._answers).cpu().numpy()

    def _finish(self) -> None:
        if self._kept:
            self._sum_up()


def _computed(meter: Metric) -> Tensor:
    """The value over all processes."""
    with warnings.catch_warnings():
        # torchmetrics warns in a process that had no sample, even if others had some.
        warnings.filterwarnings("ignore", ".* was called before the ``update`` method", UserWarning)
        return meter.compute()
