"""A study from somebody else is resumed without running any code but the package's and the user's own."""

import pickle
import shutil
import sys
from pathlib import Path

import pytest
from finished_runs import only_run, record, states
from omegaconf import OmegaConf

from gradflow.runs.record import write_record

SMALL = ("trainer=cpu", "model=mlp", "width=4", "blocks=1", "trainer.max_epochs=1", "callbacks=none", "threads=1")


class Touch:
    """Unpickling it creates a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


@pytest.fixture(scope="module")
def study(command_in, tmp_path_factory):
    """A study of one run that has yet to start."""
    root = tmp_path_factory.mktemp("theirs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gradflow.sweep.jobs.run", lambda *_, **__: {})
        assert command_in(root, *SMALL).status == 0
    return only_run(root).parent.parent


@pytest.fixture
def planned(study, compose, tmp_path):
    """`planned(*overrides)`: a copy of it, of whose overrides some are written by somebody else."""

    def craft(*theirs):
        shutil.copytree(study, tmp_path / "outputs" / study.name)
        run = only_run(tmp_path)
        write_record(run, record(run) | {"overrides": [*SMALL, *theirs]})
        (run / ".hydra").mkdir(exist_ok=True)
        OmegaConf.save(compose(*SMALL, *theirs), run / ".hydra" / "config.yaml", resolve=True)
        return run

    return craft


def crafted(executed, pickled):
    """What a folder from somebody else may name, by the target that does it."""
    touch = f"touch {executed}"
    return {
        "os.system": ("+callbacks.a._target_=os.system", f"+callbacks.a.command='{touch}'"),
        "subprocess.run": ("logger._target_=subprocess.run", f"+logger.args='{touch}'", "+logger.shell=true"),
        "builtins.open": ("init._target_=builtins.open", f"+init.file={executed}", "+init.mode=w"),
        "joblib.load": ("+trainer.profiler._target_=joblib.load", f"+trainer.profiler.filename={pickled}"),
        "pandas.read_pickle": (
            "schedule._target_=pandas.read_pickle",
            f"+schedule.filepath_or_buffer={pickled}",
        ),
        "torch.hub.load": (
            *("activation=custom", "activation._target_=torch.hub.load", "+activation.source=local"),
            *(f"+activation.repo_or_dir={executed.parent}", "+activation.model=anything"),
        ),
        "gradflow.cli.os.system": ("model._target_=gradflow.cli.os.system", f"+model.command='{touch}'"),
        "gradflow.runs.record.os.system": ("data.source._target_=gradflow.runs.record.os.system",),
        "torch.nn.functional.torch.load": (
            *("optimizer._target_=torch.nn.functional.torch.load", f"+optimizer.f={pickled}"),
            "+optimizer.weights_only=false",
        ),
        "their_module.Thing": ("+model.inner._target_=their_module.Thing",),
    }


NAMES = crafted(Path("executed"), Path("pickled"))


@pytest.mark.parametrize("target", NAMES)
def test_resuming_a_folder_that_names_code_does_nothing_but_say_so(planned, command, tmp_path, monkeypatch, target):
    executed, pickled = tmp_path / "executed", tmp_path / "pickled"
    pickled.write_bytes(pickle.dumps(Touch(executed)))
    (tmp_path / "their_module.py").write_text(f"open({str(executed)!r}, 'w').close()\n")
    (tmp_path / "hubconf.py").write_text(f"open({str(executed)!r}, 'w').close()\n")
    monkeypatch.syspath_prepend(tmp_path)
    run = planned(*crafted(executed, pickled)[target])
    before = (run / "run.json").read_bytes()
    outcome = command("resume=outputs/digits_mlp")
    assert outcome.status == 2
    assert outcome.err.startswith(f"gradflow: {tmp_path}/outputs/digits_mlp/")
    assert outcome.err.count("\n") == 1
    assert f"_target_={target} is not " in outcome.err
    assert outcome.err.endswith("use trust=true\n")
    assert not executed.exists()
    assert "their_module" not in sys.modules
    assert (run / "run.json").read_bytes() == before
    assert states(tmp_path) == ["planned"]


def test_a_study_of_the_packages_own_code_needs_no_trust(planned, command, tmp_path):
    planned("callbacks=default", "callbacks.pictures=null")
    assert command("resume=outputs/digits_mlp").status == 0
    assert states(tmp_path) == ["finished"]


OWN = ("+callbacks.own._target_=effective_rank.EffectiveRank",)


def test_code_of_an_earlier_command_line_needs_trust_or_a_place_in_ones_conf(planned, command, tmp_path, monkeypatch):
    planned(*OWN)
    refused = command("resume=outputs/digits_mlp")
    assert refused.status == 2
    assert (
        "callbacks.own._target_=effective_rank.EffectiveRank is not a callback of gradflow or Lightning" in refused.err
    )
    assert command("resume=outputs/digits_mlp", "trust=yes").err == "gradflow: trust=yes: choose true or false\n"
    monkeypatch.setattr("gradflow.sweep.jobs.run", lambda *_, **__: {})
    (tmp_path / "mine" / "callbacks").mkdir(parents=True)
    (tmp_path / "mine" / "callbacks" / "own.yaml").write_text("own:\n  _target_: effective_rank.EffectiveRank\n")
    for allowed in ("trust=true", f"hydra.searchpath=[file://{tmp_path}/mine]"):
        outcome = command("resume=outputs/digits_mlp", allowed)
        assert outcome.status == 0, outcome.err


def test_trust_without_effect_is_refused(command, tmp_path):
    outcome = command(*SMALL, "trust=true")
    assert outcome.status == 2
    assert outcome.err.startswith("gradflow: trust=true: no effect without resume=STUDY")
    assert command(*SMALL, "trust=maybe").err.startswith("gradflow: trust=maybe: choose true or false")
    assert not list(tmp_path.glob("outputs/**/run.json"))
