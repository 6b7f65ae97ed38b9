"""Run folders without a run: run.json and one event file, as the training writes them."""

import json
import struct
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary

PROVENANCE = {
    "git_commit": "c0ffee",
    "git_clean": True,
    "python": "3.11.0",
    "torch": "2.11.0",
    "lightning": "2.6.4",
    "device": "a CPU",
    "threads": 2,
    "platform": "Linux",
    "command": "train.py -m activation=relu,sigmoid",
}


def write_run(
    study: Path,
    *,
    activation="relu",
    blocks=2,
    seed=0,
    state="finished",
    curves=None,
    metrics=None,
    axes=None,
    headline="test/acc_at_best",
    **more,
) -> Path:
    """One run folder.

    Args:
        curves: tag -> list of values at steps 0, 1, ..., or a mapping from step to value.
        metrics: of run.json.
        axes: further ones beside activation and blocks.
        more: further entries of run.json, or other values for those below.
    """
    all_axes = {"activation": activation} | ({} if blocks is None else {"blocks": blocks}) | (axes or {})
    shown = ",".join(f"{key}={value}" for key, value in all_axes.items())
    config = "".join(c if c.isalnum() or c in "=,._" else "_" for c in shown)
    folder = study / config / f"seed={seed}"
    folder.mkdir(parents=True)
    record = {
        "state": state,
        "study": study.name,
        "config": config,
        "axes": all_axes,
        "activation": activation,
        "blocks": blocks,
        "seed": seed,
        "lr": 0.001,
        "metrics": metrics or {},
        "error": None,
        "started": "2026-01-01T00:00:00+00:00",
        "finished": "2026-01-01T00:01:00+00:00",
        "duration_s": 60.0,
        "provenance": PROVENANCE,
        "headline": headline,
        "selected_on": "validation",
        "parameters": 1234,
    }
    (folder / "run.json").write_text(json.dumps(record | more))
    write_events(folder, curves or {})
    return folder


def write_events(folder: Path, curves) -> None:
    """One event a step. Checksums are zero: nothing here reads them."""
    by_step: dict[int, dict[str, float]] = {}
    for tag, points in curves.items():
        for step, value in points.items() if isinstance(points, dict) else enumerate(points):
            by_step.setdefault(step, {})[tag] = value
    with (folder / "events.out.tfevents.1.host").open("wb") as file:
        for step, values in sorted(by_step.items()):
            summary = Summary(value=[Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()])
            data = Event(step=step, summary=summary).SerializeToString()
            file.write(struct.pack("<Q", len(data)) + bytes(4) + data + bytes(4))


def typical(*, accuracy=0.9, blocks=2, steps=20, epochs=4, rms=1e-3, dead=0.1):
    """Curves and metrics of an ordinary run with a stem, `blocks` blocks and a head: `write_run(**typical())`."""
    hidden = ["00_stem", *(f"{i:02d}_block" for i in range(1, (blocks or 2) + 1))]
    layers = [*hidden, f"{len(hidden):02d}_head"]
    ends = [steps * (epoch + 1) // epochs for epoch in range(epochs)]
    by_epoch = {end: accuracy * (epoch + 1) / epochs for epoch, end in enumerate(ends)}
    curves = {
        "val/acc": by_epoch,
        "train/loss": {end: 2.0 - value for end, value in by_epoch.items()},
        "train/acc": by_epoch,
        "train/loss_step": [2.0 - accuracy * step / steps for step in range(steps)],
        "grad_norm/total": [1.0 / (step + 1) for step in range(steps)],
        **{f"grad_rms/{layer}": [rms] * steps for layer in layers},
        **{
            f"{quantity}/{layer}": dict.fromkeys([0, *ends], dead)
            for quantity in ("dead_units", "low_slope", "dormant_units")
            for layer in hidden
        },
    }
    metrics = {
        "test/acc_at_best": accuracy,
        "test/acc": accuracy - 0.01,
        "val/acc": accuracy,
        "val/acc_best": accuracy,
        "train/loss": 2.0 - accuracy,
        "grad_norm/total": 1.0 / steps,
        "grad_flow/decades_per_layer": 0.1,
        "grad_abs_mean_all_steps": 1e-3,
        "dead_units/total": dead,
        **{f"grad_rms/{layer}": rms for layer in layers},
    }
    return {"blocks": blocks, "curves": curves, "metrics": metrics}
