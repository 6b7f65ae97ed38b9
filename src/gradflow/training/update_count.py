"""Lightning's `global_step`, which it stores in one of two places, depending on the kind of training step."""

from typing import Any

import lightning as L


def count_update(trainer: L.Trainer) -> None:
    """Count an update that a module made itself, unseen by Lightning."""
    updates = trainer.fit_loop.epoch_loop.manual_optimization.optim_step_progress
    updates.increment_ready()
    updates.increment_completed()


def count_for_both(checkpoint: dict[str, Any]) -> None:
    """Make this checkpoint resumable with either kind of training step."""
    loop, total = checkpoint["loops"]["fit_loop"], checkpoint["global_step"]
    for progress in (
        loop["epoch_loop.manual_optimization.optim_step_progress"],
        loop["epoch_loop.automatic_optimization.optim_progress"]["optimizer"]["step"],
    ):
        progress["total"] = {"ready": total, "completed": total}
