"""What the best answer achieves that is the same for all samples: the level that learning has to beat."""

from collections.abc import Sequence

import torch
from torch import Tensor

UNEQUAL = 2.0  # times as many samples in the largest class as in the smallest: told
ONE_SIDED = 0.75  # share of labels that constant answers get right: told


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


def imbalance(kind: str, targets: Tensor, classes: Sequence[str] = ()) -> str | None:
    """A line on unequal classes: how large the largest and the smallest are, and what answering the largest achieves.

    Args:
        kind: as for `constant_loss`.
        targets: those of the training set.
        classes: the names of the classes; empty for their numbers.

    Returns:
        None where the classes are about equal, and for a regression.
    """
    share = majority_share(kind, targets)
    if share is None:
        return None
    if kind == "multilabel":
        ones_K = targets.double().mean(dim=0)
        if share < ONE_SIDED:
            return None
        return (
            f"labels that {100 * ones_K.min():.1f} % (label {int(ones_K.argmin())}) to {100 * ones_K.max():.1f} % "
            f"(label {int(ones_K.argmax())}) of the training samples have: answering each with its more frequent value "
            f"has a label accuracy of {100 * share:.1f} %"
        )
    counts_K = torch.bincount(targets)
    if counts_K.max() < UNEQUAL * counts_K.min():
        return None
    fewest, most = (int(found) for found in (counts_K.argmin(), counts_K.argmax()))
    names = [classes[one] if classes else f"class {one}" for one in (fewest, most)]
    return (
        f"classes of {int(counts_K[fewest]):,} ({names[0]}) to {int(counts_K[most]):,} ({names[1]}) training samples: "
        f"always answering {names[1]} has an accuracy of {100 * share:.1f} %"
    )
