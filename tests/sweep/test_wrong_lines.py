"""Wrong values for every key of every option: refused in one line before anything is written, or stated to be legal.

The keys are those that `conf/` composes, so that a new one is tested without a change here.
"""

import functools
import logging
import math
import random
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from omegaconf import OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from gradflow import CONF
from gradflow.data import sources
from gradflow.data.arrays import Arrays
from gradflow.errors import ConfigError
from gradflow.runs import identity
from gradflow.sweep import cli, plan
from gradflow.training.process import process_settings
from gradflow.training.run import run

DELETED = object()
TEXTS = {"text": "abc", "digits": "3"}
NUMBERS = {"negative": -1, "zero": 0, "one": 1}
BOOLEANS = {"true": True, "false": False}
LISTS = {"list": [1]}
NEVER = {
    "empty": "",
    "blank": "  ",
    "long": "x" * 5000,
    "escape": "a\x1b[31mb",
    "separator": "a\u2028b",
    "newline": "a\nb",
    "half a pair": "a\udc80b",
    "huge": 10**20,
    "nan": math.nan,
    "inf": math.inf,
    "minus inf": -math.inf,
    "huge float": 1e300,
    "texts": ["a", "b"],
    "nested": [[1], {"a": [2], 3: None}],
    "dictionary": {"a": 1},
    "empty list": [],
}
WRONG = {"deleted": DELETED, "null": None, "fraction": 1.5, **TEXTS, **NUMBERS, **BOOLEANS, **LISTS, **NEVER}
MAY_BE_NULL = (
    *("_target_", "name", "fused", "validation", "validation_size", "pixel_range", "standardize", "timeout", "threads"),
)
FRACTIONS = ("weight_decay", "validation_size", "test_size", "minutes")
SMALL = ("trainer=cpu", "model=mlp", "width=4", "blocks=1", "trainer.max_epochs=1", "threads=1", "data.batch_size=400")
GROUPS = [one.name for one in sorted(CONF.iterdir()) if one.is_dir() and one.name not in ("hydra", "experiment")]


class Line(NamedTuple):
    """One key of one option with one kind of value."""

    option: str
    key: str
    kind: str

    def __str__(self):
        return f"{self.option} {self.key}={self.kind}"


@pytest.fixture(autouse=True)
def stand_ins(monkeypatch, tmp_path):
    """Small data sets with the shapes of those that would be downloaded; everything is written under `tmp_path`."""
    monkeypatch.chdir(tmp_path)
    # Hydra logs what it cannot import, and a report in which it is no Unicode ends the worker of pytest.
    monkeypatch.setattr(logging.getLogger("hydra.utils"), "disabled", True)
    for name, shape in {"mnist": (1, 28, 28), "fashion_mnist": (1, 28, 28), "cifar10": (3, 32, 32)}.items():
        x = np.random.default_rng(0).integers(0, 256, (5200, *shape), np.uint8)
        arrays = Arrays(x, np.arange(5200) % 10, "classification", pixel_max=255, num_test=40)
        monkeypatch.setattr(sources, name, lambda data_dir, arrays=arrays: arrays)


@functools.cache
def composed(compose_run, option):
    """A configuration with this option, and the options chosen; small, so that planning what is legal is cheap."""
    small = [one for one in SMALL if not one.startswith((option.partition("=")[0] or "none") + "=")]
    if option == "model=lenet5":
        small = [one for one in small if not one.startswith(("width", "blocks"))]
    return compose_run(*([option] if option else []), *small)


def dotted(node, prefix=""):
    """Every key of a configuration, those of groups and nested nodes included."""
    for key in node:
        yield f"{prefix}{key}"
        if OmegaConf.is_dict(node._get_node(key)):
            yield from dotted(node[key], f"{prefix}{key}.")


@functools.cache
def every_line(compose_run):
    """Every key of the root and of every option, once for each type of its usual value."""
    options = [f"{group}={one.stem}" for group in GROUPS for one in sorted((CONF / group).glob("*.yaml"))]
    found = {}
    for option in ("", *options):
        cfg, _ = composed(compose_run, option)
        group = option.partition("=")[0]
        for key in dotted(cfg[group], f"{group}.") if group else [key for key in cfg if key not in GROUPS]:
            usual = OmegaConf.select(cfg, key, throw_on_missing=False)
            has_class = not group or cfg[group].get("_target_", "") is not None
            found.setdefault((key, type(usual), has_class), option)
    return [Line(option, key, kind) for (key, *_), option in found.items() for kind in WRONG]


def attempt(compose_run, line):
    """The planned run's folder and configuration; None if the line was refused as it should be."""
    cfg, choices = composed(compose_run, line.option)
    changed = cfg.copy()
    parent, _, name = line.key.rpartition(".")
    node = OmegaConf.select(changed, parent) if parent else changed
    with open_dict(changed):
        if WRONG[line.kind] is DELETED:
            del node[name]
        else:
            node[name] = WRONG[line.kind]
        if line.key != "output_dir":  # a value that is left out does not show in a run's name
            changed.output_dir = f"{cfg.output_dir}/{len(list(Path().glob('outputs/*')))}"
    try:
        axes = functools.partial(identity.study_axes, changed, choices, lambda _: (cfg, choices))
        (planned,) = plan.plan([plan.Wanted(changed, [], axes)])
    except (ConfigError, OmegaConfBaseException) as error:
        said = cli.one_line(error)
        assert name in said or line.key.partition(".")[0] in said, said
        assert said.isprintable(), said
        assert len(said) < 1500, said
        return None
    return planned.folder, changed


def may_be_legal(usual, line):
    """Whether a value of this kind may be legal, by the usual value of its key."""
    name = line.key.rpartition(".")[2]
    if line.kind in NEVER or (line.kind == "deleted" and "." not in line.key):
        return False
    if line.kind == "list" and line.key == "width":
        return True
    if usual is None or line.kind == "deleted":  # left to the default of the class
        return True
    if line.kind == "null":
        return (line.key.count(".") == 1 and line.key.startswith("callbacks.")) or name in MAY_BE_NULL
    if isinstance(usual, bool):
        return line.kind in BOOLEANS
    if isinstance(usual, int | float):
        return line.kind in NUMBERS or (line.kind == "fraction" and (isinstance(usual, float) or name in FRACTIONS))
    return isinstance(usual, str) and line.kind in TEXTS


def check_lines(compose_run, lines):
    """Try each line; the accepted ones, with folder and configuration."""
    accepted = {}
    for line in lines:
        usual = OmegaConf.select(composed(compose_run, line.option)[0], line.key, throw_on_missing=False)
        found = attempt(compose_run, line)
        assert found is None or may_be_legal(usual, line), f"{line}: accepted"
        if found is not None:
            accepted[line] = found
    return accepted


def drawn(lines, number):
    return random.Random(0).sample(lines, number)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # as below
def test_a_sample_of_wrong_lines_is_refused(compose_run, tmp_path):
    accepted = check_lines(compose_run, drawn(every_line(compose_run), 150))
    assert len(list(tmp_path.glob("**/run.json"))) <= len(accepted)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # an error in MLflow's import spoils it for the whole process
def test_every_wrong_line_is_refused(compose_run, tmp_path):
    lines = every_line(compose_run)
    accepted = check_lines(compose_run, lines)
    assert len(lines) > 2000
    assert len(accepted) < len(lines) / 8


@pytest.mark.slow
def test_what_is_accepted_trains(compose_run):
    """A value that is let through although it is unusual must not make the run fail."""
    usual = check_lines(compose_run, drawn(every_line(compose_run), 500))
    for line, (folder, cfg) in usual.items():
        with process_settings(cfg):
            record = run(cfg, folder)
        assert record["state"] in ("finished", "diverged"), line


TYPED = {
    "dictionary": "{a:1}",
    "nan": "nan",
    "inf": "inf",
    "huge": "1" + 20 * "0",
    "long": "x" * 5000,
    "empty": "''",
    "nested": "[[1],{a:[2],3:null}]",
    "escape": "'a\x1b[31mb'",
    "separator": "'a\u2028b'",
    "texts": "[a,b]",
}


def test_wrong_lines_on_the_command_line(command, compose_run, tmp_path):
    """What the planner refuses is status 2, one line on the screen, and no folder."""
    wrong = [line for line in every_line(compose_run) if line.kind in TYPED and line.kind in NEVER]
    for line in drawn(wrong, 20):
        outcome = command(*([line.option] if line.option else []), f"{line.key}={TYPED[line.kind]}")
        assert (outcome.status, outcome.err.count("\n")) == (2, 1), (line, outcome)
        assert outcome.err.startswith("gradflow: ")
        assert outcome.err[:-1].isprintable(), (line, outcome)
        assert not list(tmp_path.iterdir()), line
