"""What one job of a launcher trains: a run, or several seeds of one configuration together."""

import json
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig

from gradflow.run import process_settings, run
from gradflow.together import Together

JOB = "GRADFLOW_JOB"  # environment variable, JSON: the job's seeds, which run of how many the first of them is


def described(*, seeds: Sequence[int], first: int, of: int) -> str:
    """The value of `JOB` for these seeds, the first of which is run `first` of a sweep of `of`."""
    return json.dumps({"seeds": list(seeds), "first": first, "of": of})


def run_job(cfg: DictConfig, folder: Path) -> dict[str, Any]:
    """Train the seed of `cfg` in its folder, and beside it the job's other seeds; the final run.json of the first.

    Raises:
        Exception: what the first run that failed raised, once all have ended.
    """
    job = json.loads(os.environ.get(JOB, "null")) or {"seeds": [cfg.seed], "first": 1, "of": 1}
    positions = {seed: f"run {job['first'] + i}/{job['of']}" for i, seed in enumerate(job["seeds"])}
    with process_settings(cfg):
        if len(positions) == 1:
            return run(cfg, folder, position=positions[cfg.seed])
        return _run_together(cfg, folder, positions)


def _run_together(cfg: DictConfig, folder: Path, positions: dict[int, str]) -> dict[str, Any]:
    together = Together()
    records: dict[int, dict[str, Any]] = {}

    def train(seed: int) -> None:
        own = cfg.copy()
        own.seed = seed
        own_folder = folder.with_name(f"seed={seed}")
        records[seed] = run(own, own_folder, position=positions[seed], together=together)

    torch.set_flush_denormal(cfg.flush_denormal)  # of this thread, which makes the updates
    try:
        raised = together.run([(f"seed={seed}", partial(train, seed)) for seed in positions])
    finally:
        torch.set_flush_denormal(False)
    for error in raised:
        if error is not None:
            raise error
    return records[cfg.seed]
