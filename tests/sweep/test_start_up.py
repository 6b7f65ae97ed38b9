"""What is loaded when: the time to the first training step is the time of what is imported before it."""

import json
import subprocess
import sys

import pytest
from finished_runs import states
from own_processes import start
from waiting import PATIENCE_S

DRAWING = {"altair", "vl_convert", "jsonschema", "gradflow.figures", "gradflow.report"}
PLANNING = {"gradflow.sweep.plan", "gradflow.sweep.checks", "gradflow.study.comparison"}
DATA_AND_TABLES = {"pandas", "sklearn", "altair"}


def loaded_by(statement):
    """The modules that a statement loads, in a process of its own."""
    program = f"import sys\n{statement}\nprint(*sys.modules, sep='\\n')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.slow
@pytest.mark.parametrize(
    "statement", ["from gradflow.sweep import launch, live, next_steps, plan", "from gradflow.data import sources"]
)
def test_a_sweep_begins_without_what_only_its_data_or_its_tables_need(statement):
    loaded = loaded_by(statement)
    assert "torch" in loaded
    assert not loaded & DATA_AND_TABLES


def test_what_only_prints_a_study_loads_no_frames():
    loaded = loaded_by("import gradflow.study.__main__")
    assert "gradflow.study.closing_table" in loaded
    assert not loaded & {"pandas", "altair", "scipy", "hydra", "torch"}


@pytest.mark.parametrize("command", ["evaluate", "lesson"])
def test_the_help_of_a_command_waits_for_nothing_heavy(command):
    program = (
        f"from gradflow.{command} import __main__\ntry:\n    __main__.main(['--help'])\nexcept SystemExit:\n    pass"
    )
    loaded = loaded_by(program)
    assert f"gradflow.{command}.__main__" in loaded
    assert not loaded & {"torch", "lightning", "pandas", "altair", "scipy", "sklearn"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("launcher", "absent"),
    [
        pytest.param((), DRAWING, id="in the process"),
        pytest.param(("hydra/launcher=joblib",), DRAWING | PLANNING, id="worker"),
    ],
)
def test_at_the_first_step_only_what_trains_is_loaded(launcher, absent, tmp_path, tiny):
    seen = tmp_path / "seen.json"
    look = ("+callbacks.look._target_=first_step.FirstStep", f"+callbacks.look.path='{seen}'")
    process = start(tmp_path, "blocks=1", *tiny, *look, *launcher, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    out, _ = process.communicate(timeout=PATIENCE_S)
    assert states(tmp_path) == ["finished"], out
    found = json.loads(seen.read_text())
    assert {"lightning", "gradflow.training.run"} <= set(found["modules"])
    assert not absent & set(found["modules"])
    assert found["frozen"] > 100_000  # torch and Lightning, which the garbage collector passes over
