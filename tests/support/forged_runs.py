"""Run folders without a run, in the shape that training gives them: run.json, and one event file."""

import hashlib
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gradflow.runs import folders
from gradflow.runs.integrity import event_entries
from gradflow.runs.logger import RunLogger
from gradflow.runs.record import Record, State, planned_record, write_record

HEADLINE = "test/acc_at_best"
PROVENANCE = {
    "git_commit": "c0ffee",
    "git_clean": True,
    "python": "3.11.0",
    "torch": "2.11.0",
    "lightning": "2.6.4",
    "hydra": "1.3.2",
    "platform": "Linux",
    "device": "a CPU",
    "threads": 2,
    "command": "train.py -m activation=relu,sigmoid",
}
MNIST_SGD_EPOCHS = 15

Curves = Mapping[str, Sequence[float] | Mapping[int, float]]  # tag -> values at steps 0, 1, ..., or step -> value


def run_record(
    activation: str = "relu",
    *,
    blocks: int | None = 2,
    seed: int = 0,
    axes: Mapping[str, Any] | None = None,
    state: str = State.FINISHED,
    study: str = "study",
    **more: Any,
) -> Record:
    """A run.json.

    Args:
        axes: further ones beside activation and blocks.
        more: other values of its entries, e.g. `metrics`, `error`, `headline`.
    """
    all_axes = {"activation": activation} | ({} if blocks is None else {"blocks": blocks}) | dict(axes or {})
    record = planned_record(
        study=study,
        config=folders.config_name(all_axes),
        config_hash=hashlib.sha256(f"{all_axes} {seed}".encode()).hexdigest(),
        axes=all_axes,
        seed=seed,
        lr=0.001,
        overrides=[f"{key}={value}" for key, value in (all_axes | {"seed": seed}).items()],
        headline=HEADLINE,
        selected_on="validation",
    )
    if state != State.PLANNED:
        record |= {
            "attempts": 1,
            "started": "2026-01-01T00:00:00+00:00",
            "provenance": PROVENANCE,
            "parameters": 1234,
            "constant_loss": float(np.log(10)),
            "majority_share": 0.1,
            "sigmoid_like": activation in ("sigmoid", "tanh", "softsign", "hardtanh"),
        }
    if state not in (State.PLANNED, State.RUNNING):
        record |= {"finished": "2026-01-01T00:01:00+00:00", "duration_s": 60.0}
    return record | {"state": state} | more


def scored_run(
    activation: str = "relu",
    value: float = 0.9,
    *,
    blocks: int | None = 4,
    state: str = State.FINISHED,
    metrics: Mapping[str, float] | None = None,
    **more: Any,
) -> Record:
    """A run.json with this headline and these further metrics, if it has finished."""
    scores = {HEADLINE: value} | dict(metrics or {}) if state == State.FINISHED else {}
    return run_record(activation, blocks=blocks, state=state, metrics=scores, **more)


def scored_runs(activation: str, values: Iterable[float], **more: Any) -> list[Record]:
    """One of these for each value, with seeds from 0 on."""
    return [scored_run(activation, value, seed=seed, **more) for seed, value in enumerate(values)]


def write_run(study: Path, *, curves: Curves | None = None, **record: Any) -> Path:
    """One run folder of a study; `record` is that of `run_record`, which says what event files there are."""
    made = run_record(study=study.name, **record)
    folder = folders.run_folder(study.parent, study.name, made["config"], made["seed"])
    if curves:
        write_events(folder, curves)
    write_record(folder, made | {"events": record.get("events", event_entries(folder))})
    return folder


def write_events(folder: Path, curves: Curves) -> None:
    """An event file with one event for each step."""
    points = {tag: dict(c) if isinstance(c, Mapping) else dict(enumerate(c)) for tag, c in curves.items()}
    steps = sorted(set().union(*points.values()))
    values_SK = np.array([[points[tag].get(step, np.nan) for tag in points] for step in steps])
    logger = RunLogger(folder)
    logger.log_rows(list(points), steps, values_SK, [time.time()] * len(steps))
    logger.experiment.close()


def typical(
    *,
    accuracy: float = 0.9,
    blocks: int | None = 2,
    steps: int = 20,
    epochs: int = 4,
    rms: float = 1e-3,
    dead: float = 0.1,
) -> dict[str, Any]:
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
        "grad_flow/gain_per_layer": 0.8,
        "grad_abs_mean_all_steps": 1e-3,
        "dead_units/total": dead,
        **{f"grad_rms/{layer}": rms for layer in layers},
    }
    return {"blocks": blocks, "curves": curves, "metrics": metrics}


def write_mnist_sgd(study: Path, accuracies: Mapping[str, Sequence[float]], **more: Any) -> None:
    """Finished runs of the preset mnist_sgd: validation accuracy rises evenly from a third of the test accuracy to it.

    Args:
        accuracies: activation -> test accuracy of each seed.
        more: further arguments of `write_run`.
    """
    epochs = MNIST_SGD_EPOCHS
    for activation, values in accuracies.items():
        for seed, accuracy in enumerate(values):
            shares = [(5 + 10 * epoch / (epochs - 1)) / 15 for epoch in range(epochs)]
            curve = {2 * (epoch + 1): accuracy * share for epoch, share in enumerate(shares)}
            curves = {"val/acc": curve, "train/acc": curve, "grad_norm/total": [1.0] * 2 * epochs}
            metrics = {"test/acc": accuracy, "test/acc_at_best": accuracy, "best_epoch": epochs}
            write_run(study, activation=activation, blocks=1, seed=seed, curves=curves, metrics=metrics, **more)
