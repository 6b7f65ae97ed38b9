"""Compute every section of the lesson and write its page and pictures."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

from gradflow.errors import ConfigError
from gradflow.lesson import marks
from gradflow.lesson.experiments.effort import Effort
from gradflow.lesson.facts import facts
from gradflow.lesson.page import page
from gradflow.lesson.path import path
from gradflow.runs import provenance as origin
from gradflow.runs.record import now

PAGE, FIGURES = "index.html", "figures"


def build(folder: Path, *, effort: Effort | None, seed: int, command: str, say: Callable[[str], None]) -> Path:
    """Write `index.html` and `figures/*.png`, `*.svg`, replacing files of these names.

    Args:
        folder: created if missing.
        effort: how much to measure; None for a small page with what runs in it alone, built without training.
        seed: the first of the seeds; the same seed gives the same numbers, except for the activations' costs.
        command: what was typed, shown on the page.
        say: called with one line before each section.

    Returns:
        The page's path.

    Raises:
        ConfigError: if the folder cannot be written to.
    """
    _prepare(folder, folder / FIGURES if effort else folder)
    started = time.monotonic()
    with _settings():
        sections = path(effort, seed=seed, say=say)
    if effort:
        say("drawing the pictures")
    for section in sections:
        for figure in section.figures:
            marks.save(figure, folder / FIGURES)
    file = folder / PAGE
    provenance = _provenance(effort, seed, command=command, seconds=time.monotonic() - started)
    file.write_text(page(sections, provenance, {"facts": facts()}), encoding="utf-8")
    return file


def _prepare(output: Path, deepest: Path) -> None:
    """Check that the deepest folder to write to, the output or one inside it, can be written to."""
    try:
        deepest.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--output {output}: {error.strerror or error}; choose another folder") from error
    if not os.access(output, os.W_OK) or not os.access(deepest, os.W_OK):
        raise ConfigError(f"--output {output}: not writable; choose another folder")


@contextlib.contextmanager
def _settings() -> Iterator[None]:
    """One thread: more would not help such small networks, and sums come out the same on any number of cores.

    No subnormal numbers: Adam's moments for a deep sigmoid network are subnormal, and slow.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
        torch.set_num_threads(threads)


def _provenance(effort: Effort | None, seed: int, *, command: str, seconds: float) -> dict[str, str]:
    made = origin.provenance(device=origin.device_name(torch.device("cpu")), threads=1)
    return {
        "made": f"{now()[:16].replace('T', ' ')} UTC, in {seconds:.0f} s",
        **({"seeds": f"{seed} to {seed + effort.seeds - 1}"} if effort else {}),
        "command": command,
        "versions": f"gradflow {made['gradflow']}, torch {made['torch']}, Python {made['python']}",
        "processor": f"{made['device']}, one thread",
        "source": _source(made["git_commit"], made["git_clean"]),
    }


def _source(commit: str | None, is_clean: bool | None) -> str:
    if commit is None:
        return "outside a git checkout"
    return f"commit {commit[:12]}{'' if is_clean else ', with uncommitted changes'}"
