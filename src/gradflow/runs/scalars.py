"""Write scalars at steps of one's own to any of Lightning's loggers."""

import math
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Protocol, runtime_checkable

import numpy as np
from lightning.pytorch.loggers import Logger, MLFlowLogger, TensorBoardLogger
from lightning.pytorch.utilities import rank_zero_only
from torch.utils.tensorboard import SummaryWriter

from gradflow.runs.events import scalar_events

MLFLOW_BATCH = 1000  # metrics that MLflow takes at a time


@runtime_checkable
class WritesRows(Protocol):
    """A logger that takes whole tables, as that of a run folder does."""

    def log_rows(
        self, tags: Sequence[str], steps: Sequence[int], values_SK: np.ndarray, times: Sequence[float]
    ) -> None: ...


def write_rows(
    loggers: Sequence[Logger], tags: Sequence[str], steps: Sequence[int], values_SK: np.ndarray, times: Sequence[float]
) -> None:
    """Write a table of scalars to every logger; values that are not finite (not defined at that step) are left out.

    Args:
        loggers: any.
        tags: K names.
        steps: shape (S,); as Lightning counts updates.
        values_SK: shape (S, K).
        times: seconds since the epoch, shape (S,).
    """
    for logger in loggers:
        if isinstance(logger, WritesRows):
            logger.log_rows(tags, steps, values_SK, times)
        elif isinstance(logger, TensorBoardLogger) and _is_plain(logger):
            _write_events(logger, tags, steps, values_SK, times)
        elif isinstance(logger, MLFlowLogger) and _is_plain(logger):
            _write_batches(logger, tags, steps, values_SK, times)
        else:
            for step, row in zip(steps, values_SK.tolist(), strict=True):
                if finite := {tag: value for tag, value in zip(tags, row, strict=True) if math.isfinite(value)}:
                    logger.log_metrics(finite, step)


def write(loggers: Sequence[Logger], metrics: Mapping[str, float], step: int) -> None:
    """Write scalars at one step to every logger, as `LightningModule.log` cannot: it picks the step itself."""
    for logger in loggers:
        logger.log_metrics(dict(metrics), step)


def write_to_summary(
    writer: SummaryWriter, tags: Sequence[str], steps: Sequence[int], values_SK: np.ndarray, times: Sequence[float]
) -> None:
    """Write a table of scalars with PyTorch's SummaryWriter, one event per row instead of one per number.

    Raises:
        ValueError: if the writer is closed.
    """
    if writer.file_writer is None:
        raise ValueError("the SummaryWriter is closed")
    for event in scalar_events(tags, steps, values_SK.tolist(), times):
        writer.file_writer.add_event(event, event.step, event.wall_time)


def _is_plain(logger: Logger) -> bool:
    """Whether names reach the logger's backend as they are: neither a subclass nor a prefix changes them."""
    # A name of Lightning's own, for want of a public one; if it goes away, rows are written one number at a time.
    return type(logger) in (TensorBoardLogger, MLFlowLogger) and getattr(logger, "_prefix", None) == ""


@rank_zero_only
def _write_events(
    logger: TensorBoardLogger, tags: Sequence[str], steps: Sequence[int], values_SK: np.ndarray, times: Sequence[float]
) -> None:
    writer = logger.experiment
    if isinstance(writer, SummaryWriter) and writer.file_writer is not None:
        write_to_summary(writer, tags, steps, values_SK, times)
        return
    for step, row in zip(steps, values_SK.tolist(), strict=True):  # tensorboardX
        logger.log_metrics({tag: value for tag, value in zip(tags, row, strict=True) if math.isfinite(value)}, step)


@rank_zero_only
def _write_batches(
    logger: MLFlowLogger, tags: Sequence[str], steps: Sequence[int], values_SK: np.ndarray, times: Sequence[float]
) -> None:
    from mlflow.entities import Metric

    metrics = (
        Metric(key=tag, value=value, timestamp=int(1000 * moment), step=step)
        for step, row, moment in zip(steps, values_SK.tolist(), times, strict=True)
        for tag, value in zip(tags, row, strict=True)
        if math.isfinite(value)
    )
    while batch := list(islice(metrics, MLFLOW_BATCH)):
        logger.experiment.log_batch(run_id=logger.run_id, metrics=batch)
