"""What runs have left in their folders, and how one is interrupted."""

import json
from pathlib import Path

import torch

from gradflow.runs.events import curves


def outcome(run: Path) -> dict:
    """All that a run leaves: final metrics, weights and every point of every curve."""
    points = {tag: list(zip(c.steps.tolist(), c.values.tolist(), strict=True)) for tag, c in curves(run).items()}
    return {
        "metrics": json.loads((run / "run.json").read_text())["metrics"],
        "curves": points,
        **{name: weights(run / "checkpoints" / name) for name in ("last.ckpt", "best.ckpt")},
    }


def weights(checkpoint: Path) -> dict[str, list]:
    state = torch.load(checkpoint, weights_only=True)["state_dict"]
    return {name: tensor.tolist() for name, tensor in state.items()}


def interrupt_after(command, monkeypatch, epochs: int, *arguments: str):
    """Ctrl-C at the end of an epoch, before its checkpoint is written; the command's outcome."""
    from gradflow.training.progress import RunProgress

    def interrupt(self, trainer, module):
        if trainer.current_epoch + 1 == epochs:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(RunProgress, "on_train_epoch_end", interrupt)
        return command(*arguments)
