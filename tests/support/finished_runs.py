"""What runs have left in their folders."""

from pathlib import Path

import torch
from torch import Tensor

from gradflow.runs.events import curves
from gradflow.runs.record import Record, read_record
from gradflow.runs.samples import read_samples


def run_folders(root: Path) -> list[Path]:
    """The folders of the runs that were planned in `root`."""
    return sorted(file.parent for file in root.glob("outputs/*/*/seed=*/run.json"))


def only_run(root: Path) -> Path:
    (folder,) = run_folders(root)
    return folder


def record(run: Path) -> Record:
    found = read_record(run)
    assert found is not None, f"{run} has no record"
    return found


def records(root: Path) -> dict[Path, Record]:
    """Run folder -> its record."""
    return {run: record(run) for run in run_folders(root)}


def states(root: Path) -> list[str]:
    return [found["state"] for found in records(root).values()]


def weights(run: Path, checkpoint: str = "last.ckpt") -> dict[str, Tensor]:
    return torch.load(run / "checkpoints" / checkpoint, weights_only=True)["state_dict"]


def left_by(run: Path) -> dict:
    """All that a run leaves: final metrics, weights, every point of every curve, every answer to a test sample."""
    points = {tag: list(zip(c.steps.tolist(), c.values.tolist(), strict=True)) for tag, c in curves(run).items()}
    checkpoints = ("last.ckpt", "best.ckpt")
    kept = {name: {key: tensor.tolist() for key, tensor in weights(run, name).items()} for name in checkpoints}
    samples = read_samples(run)
    assert samples is not None or record(run)["axes"].get("module")
    answers = {tag: right.tolist() for tag, right in samples.correct.items()} if samples else {}
    return {
        "metrics": record(run)["metrics"],
        "curves": points,
        "parts": samples.parts.tolist() if samples else [],
        "answers": answers,
        **kept,
    }


def steps(run: Path) -> dict[str, list[int]]:
    """The steps of every curve, a step twice where it was written twice."""
    return {tag: curve.steps.tolist() for tag, curve in curves(run).items()}


def written_twice(run: Path) -> list[str]:
    """Tags of the curves that have a point twice."""
    return [tag for tag, found in steps(run).items() if len(set(found)) < len(found)]
