"""Metrics that somebody's module logs: nothing is known of them but their names."""

import re
from collections.abc import Collection, Iterable
from typing import Literal

from gradflow.runs import tags
from gradflow.runs.metrics import METRICS, Metric

Better = Literal["higher", "lower"]
_WORD = re.compile(r"[a-z]+[0-9]?", re.IGNORECASE)
_LOWER = """
    loss nll bce mse rmse mae mape error errors err perplexity ppl bpc bpb cer wer fid kl crps brier ece distance regret
"""
_HIGHER = """
    acc accuracy f1 fbeta auc auroc auprc ap map precision recall sensitivity specificity iou miou dice jaccard r2 kappa
    mcc bleu rouge meteor psnr ssim ndcg mrr reward return correlation pearson spearman score top1 top5
"""
_BETTER: dict[str, Better] = dict.fromkeys(_LOWER.split(), "lower")
_BETTER |= dict.fromkeys(_HIGHER.split(), "higher")


def better(tag: str) -> Better | None:
    """Which of two values of a metric is better, as far as its name tells: `val/f1` -> higher, `val_loss` -> lower.

    The last word that tells decides: `val/loss_of_map` is no map.
    """
    words = reversed(_WORD.findall(tag.lower()))
    return next((_BETTER[word] for word in words if word in _BETTER), None)


def declared(logged: Iterable[str], *, higher: Collection[str] = (), lower: Collection[str] = ()) -> list[Metric]:
    """What is known of logged metrics, for run.json.

    Args:
        logged: their tags.
        higher: those that are better if higher, whatever their names say; with them their values at the best epoch.
        lower: likewise.
    """
    words = {metric.tag: metric.words for metric in METRICS if not metric.meaning}  # somebody's F1 may be another one
    found = []
    for tag in dict.fromkeys(logged):
        plain = tags.of_last_epoch(tag).removesuffix("_best")
        known: Better | None = "higher" if plain in higher else "lower" if plain in lower else better(plain)
        found.append(Metric(tag, words.get(tag, _words(tag)), better=known))
    return found


def _words(tag: str) -> str:
    """The tag itself, and in words what the ends mean that a run adds."""
    plain = tags.of_last_epoch(tag)
    if plain != tag:
        return f"{plain} at the best epoch"
    return f"best {tag.removesuffix('_best')}" if tags.is_of_best(tag) else tag
