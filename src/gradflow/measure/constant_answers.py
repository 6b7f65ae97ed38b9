"""What the best answer achieves that is the same for all samples: the level that learning has to beat."""

import torch
from torch import Tensor


def constant_loss(kind: str, targets: Tensor) -> float:
    """The mean loss of the best constant prediction, which needs no input.

    Args:
        kind: as for `gradflow.measure.scores.task`.
        targets: class numbers, labels or regression targets, shape (N,) or (N, K).

    Returns:
        The entropy of the class shares in nats (with equal classes the logarithm of their number), the mean over the
        labels of the entropy of their two shares, or the variance of the targets (ddof = 0), its mean over several.
    """
    if kind == "regression":
        return float(targets.double().var(dim=0, correction=0).mean())
    if kind == "multilabel":
        ones_K = targets.double().mean(dim=0)
        return float((torch.special.entr(ones_K) + torch.special.entr(1 - ones_K)).mean())
    shares = torch.bincount(targets).double() / len(targets)
    return float(torch.special.entr(shares).sum())


def majority_share(kind: str, targets: Tensor) -> float | None:
    """The accuracy of the best constant answer: what an accuracy is to be read against.

    Args:
        kind: as for `gradflow.measure.scores.task`.
        targets: as for `constant_loss`.

    Returns:
        The share of the largest class; of several labels the label accuracy of answering each with its more frequent
        value; None for a regression.
    """
    if kind == "regression":
        return None
    if kind == "multilabel":
        ones_K = targets.double().mean(dim=0)
        return float(torch.maximum(ones_K, 1 - ones_K).mean())
    return float(torch.bincount(targets).max()) / len(targets)
