"""A sweep before it starts and after it has ended."""

import json
import re
import sys
from types import SimpleNamespace

import numpy as np
import own_data
import pytest
from forged_runs import run_record

from gradflow.data import datamodule
from gradflow.errors import RunsFailed
from gradflow.runs.record import read_record, write_record
from gradflow.sweep import plan
from gradflow.sweep.checks import dry_step, objects
from gradflow.sweep.compositions import Compositions


@pytest.fixture
def launched(monkeypatch):
    """Runs are not trained but collected: (configuration, folder, run.json at that moment)."""
    found = []
    monkeypatch.setattr(
        "gradflow.sweep.jobs.run", lambda cfg, folder, **_: found.append((cfg, folder, read_record(folder))) or {}
    )
    return found


def test_the_whole_grid_is_planned_before_the_first_run_starts(command, launched, tmp_path):
    outcome = command("-m", "activation=sigmoid,relu", "blocks=2", "seed=3,0", "width=4")
    assert outcome.status == 0, outcome
    assert "4 runs to train in outputs/digits_conv" in outcome.out
    assert [(cfg.activation.name, cfg.blocks, cfg.seed) for cfg, _, _ in launched] == [
        (activation, 2, seed) for seed in (3, 0) for activation in ("sigmoid", "relu")
    ]
    assert len(list(tmp_path.glob("outputs/digits_conv/*/seed=*/run.json"))) == 4
    for cfg, folder, record in launched:
        assert record["state"] == "planned"
        assert record["config_hash"]
        assert folder.parts[-4:] == (
            "outputs",
            "digits_conv",
            f"activation={cfg.activation.name},blocks={cfg.blocks},width=4",
            f"seed={cfg.seed}",
        )


def test_a_combination_that_is_there_twice_is_one_run(command, launched):
    assert command("-m", "blocks=1,1", "seed=0,0", "width=4").status == 0
    assert len(launched) == 1


def test_several_options_of_one_group_may_be_chosen(command, launched):
    both = ("callbacks=[default,early_stopping]", "callbacks.pictures=null", "+callbacks.early_stopping.min_delta=0")
    assert command(*both, "blocks=1", "width=4").status == 0
    ((cfg, _, _),) = launched
    assert {"gradient_norms", "early_stopping"} < cfg.callbacks.keys()
    assert cfg.callbacks.early_stopping.min_delta == 0
    assert cfg.callbacks.pictures is None


def test_what_does_not_count_makes_no_second_run(command, launched):
    assert command("-m", "trainer=auto,cpu", "blocks=1", "width=4").status == 0
    assert len(launched) == 1


@pytest.mark.slow
def test_presets_that_would_share_a_folder_are_told_apart_from_what_is_there(command, tmp_path):
    refused = command("-m", "experiment=digits_vanishing,digits_depth", "study=x", "blocks=1", "seed=0")
    assert (refused.status, refused.out) == (2, "")
    assert refused.err.startswith("gradflow: study=x: two configurations of this command would share outputs/x/")
    assert not (tmp_path / "outputs").exists()


def test_values_on_the_command_line_replace_those_of_a_preset(command, launched):
    arguments = ("experiment=mnist_sgd", "data=digits", "data.validation_size=100", "width=4")
    assert command(*arguments, "activation=relu", "seed=5").status == 0
    assert [(cfg.activation.name, cfg.seed, cfg.optimizer.name, cfg.study) for cfg, _, _ in launched] == [
        ("relu", 5, "sgd", "mnist_sgd")
    ]


@pytest.mark.slow
def test_a_configuration_is_built_once_whatever_its_seeds(command, launched, monkeypatch):
    built, check_builds = [], objects.check_builds
    monkeypatch.setattr(objects, "check_builds", lambda cfg, data: built.append(cfg) or check_builds(cfg, data))
    assert command("-m", "activation=relu,tanh", "seed=0,1", "blocks=1", "width=4").status == 0
    assert len(built) == 2
    assert len(launched) == 4


def test_seeds_share_a_composition_unless_a_value_follows_them(command, launched, monkeypatch):
    composed, of_run = [], Compositions.of_run
    monkeypatch.setattr(Compositions, "of_run", lambda self, words: composed.append(words) or of_run(self, words))
    assert command("-m", "seed=2,5,7", "blocks=1", "width=4").status == 0
    assert [cfg.seed for cfg, _, _ in launched] == [record["seed"] for _, _, record in launched] == [2, 5, 7]
    assert len({record["config_hash"] for _, _, record in launched}) == len(
        {r["lengthless_hash"] for *_, r in launched}
    )
    assert [record["overrides"][0] for *_, record in launched] == ["seed=2", "seed=5", "seed=7"]
    assert len(composed) == 1
    assert command("-m", "seed=2,5", "blocks=1", "width=4", "data.split_seed=${seed}", "study=follows").status == 0
    assert [cfg.data.split_seed for cfg, _, _ in launched[3:]] == [2, 5]
    assert len(composed) == 3


RARE = ("data.source._target_=own_data.rare", "data.pixel_range=null", "model=mlp", "width=4", "resample_split=true")


@pytest.fixture
def reads(monkeypatch):
    """What has been read of `own_data`."""
    monkeypatch.setattr(own_data, "reads", [])
    return own_data.reads


@pytest.mark.slow
def test_a_resampled_sweep_loads_the_data_once_and_draws_each_split_once(command, launched, reads, monkeypatch):
    drawn, split_rows = [], datamodule.split_rows

    def counted(y, **more):
        drawn.append(more["options"].resampled_by)
        return split_rows(y, **more)

    monkeypatch.setattr(datamodule, "split_rows", counted)
    monkeypatch.setattr(dry_step, "check", lambda *_: None)  # it draws splits of its own
    sizes = ("+data.copy=one", "data.test_size=20", "data.validation=last", "data.validation_size=8")
    assert command("-m", "activation=relu,tanh", "blocks=1,2", "seed=3,4", *RARE, *sizes).status == 0
    assert reads == ["rare"]
    assert drawn == [3, 4]
    assert [record["resampled"] for _, _, record in launched] == ["split"] * 8
    assert {record["axes"]["resample_split"] for _, _, record in launched} == {True}


def test_every_split_is_checked_before_the_first_run_starts(command, launched, reads, tmp_path):
    sizes = ("+data.copy=two", "data.test_size=20", "data.validation=random", "data.validation_size=8")
    outcome = command("-m", "blocks=1", "seed=1", *RARE, *sizes)
    assert outcome.status == 0, outcome
    outcome = command("-m", "blocks=1", "seed=1,2,4", *RARE, *sizes)
    assert outcome.status == 2
    assert "data.validation_size=8: cannot be stratified in the split of seed=4" in outcome.err
    assert len(launched) == 1


def test_with_an_official_test_set_the_record_says_that_only_validation_varies(command, launched, tmp_path):
    y = np.arange(40) % 2
    np.savez(tmp_path / "own.npz", x_train=np.eye(40), y_train=y, x_test=np.eye(40)[:10], y_test=y[:10])
    own = ("data=npz", "data.path=own.npz", "model=mlp", "width=4", "blocks=1")
    assert command(*own, "resample_split=true").status == 0
    assert command(*own).status == 0
    assert [record["resampled"] for _, _, record in launched] == ["validation", None]


def test_a_key_that_only_another_option_has_is_refused(command, tmp_path):
    for typed in (("-m", "model=mlp,conv", "model.kernel_size=5"), ("model=mlp", "model.kernel_size=5")):
        outcome = command(*typed)
        assert outcome.status == 2
        assert outcome.err == (
            "gradflow: model.kernel_size=5: model=mlp has no kernel_size (only model=conv has it); leave it out, or "
            "give model=mlp a command of its own\n"
        )
    misspelt = command("model=mlp", "model.kernel_sizes=5")
    assert "model.kernel_sizes=5: no such key; did you mean model." in misspelt.err
    assert not list(tmp_path.iterdir())


def test_a_key_that_every_option_but_the_default_one_has_is_swept_with_them(command, launched):
    outcome = command("-m", "data=moons,circles", "data.samples=500", "model=mlp", "blocks=1", "width=4")
    assert outcome.status == 0, outcome
    assert [(cfg.data.name, cfg.data.samples) for cfg, _, _ in launched] == [("moons", 500), ("circles", 500)]


def test_widths_alone_say_how_many_blocks_there_are(command, launched):
    assert command("model=mlp", "blocks=null", "width=[8,4]").status == 0
    ((cfg, folder, record),) = launched
    assert (cfg.blocks, record["blocks"], folder.parent.name) == (None, None, "activation=relu,model=mlp,width=8x4")
    refused = command("model=mlp", "blocks=null")
    assert (refused.status, refused.err.count("\n")) == (2, 1)
    assert "blocks=null" in refused.err


def test_names_that_need_quoting_reach_the_right_folder(command, launched, tmp_path):
    outcome = command("blocks=1", "width=4", "study='two words, (1)'", "output_dir='odd {dir}'")
    assert outcome.status == 0, outcome
    ((_, folder, record),) = launched
    assert (tmp_path / "odd {dir}" / "two words, (1)" / "activation=relu,blocks=1,width=4" / "seed=0").is_dir()
    assert folder.parts[-3] == record["study"] == "two words, (1)"


def write_states(tmp_path, *states):
    runs = []
    for seed, state in enumerate(states):
        run = plan.PlannedRun(tmp_path / "study" / "a" / f"seed={seed}")
        if state is not None:
            write_record(run.folder, run_record(seed=seed, state=state) | {"events": {}})
        runs.append(run)
    return runs


def test_everything_but_finished_and_diverged_runs_is_unfinished(tmp_path):
    states = ("planned", "running", "finished", "diverged", "failed", "interrupted", None)
    todo = plan.unfinished(write_states(tmp_path, *states))
    assert [run.folder.name for run in todo] == ["seed=0", "seed=1", "seed=4", "seed=5", "seed=6"]


def test_failures_are_counted(tmp_path):
    runs = write_states(tmp_path, "finished", "failed", "diverged", "failed")
    with pytest.raises(RunsFailed, match="2 of 4 runs failed"):
        plan.raise_failures(runs, [])
    plan.raise_failures(runs[:1], [SimpleNamespace(return_value={})])


def test_what_a_job_raised_before_its_run_began_is_raised(tmp_path):
    class Lost:
        @property
        def return_value(self):
            raise OSError("the node went away")

    with pytest.raises(OSError, match="node"):
        plan.raise_failures(write_states(tmp_path, "planned"), [Lost()])


def test_a_study_of_another_version_is_read_but_not_added_to(command, launched, tmp_path):
    assert command("blocks=1", "width=4").status == 0
    ((_, folder, record),) = launched
    older = {key: value for key, value in record.items() if key not in ("identity", "content")}
    (tmp_path / folder / "run.json").write_text(json.dumps(older | {"config_hash": "0" * 64}))
    for arguments in (["blocks=1", "width=4"], ["blocks=2", "width=4"], ["resume=outputs/digits_conv"]):
        refused = command(*arguments)
        assert refused.status == 2
        assert re.fullmatch(
            r"gradflow: study=digits_conv: \S*activation=relu,blocks=1,width=4/seed=0 is of another version .*"
            r"\(identity 1, now 2\).*; use another, e\.g\. study=digits_conv_2\n",
            refused.err,
        )
    assert len(launched) == 1
    assert not list(tmp_path.glob("outputs/*/*blocks=2*"))
    assert command("blocks=1", "width=4", "rerun=true").status == 0
    assert command("blocks=2", "width=4").status == 0
    assert len(launched) == 3


OWN_DATA = ("data=npz", "data.path=own.npz", "model=mlp", "blocks=1", "width=4", "study=own")


def save_table(folder, *, shift=0, savez=np.savez):
    x, y = np.random.default_rng(0).normal(size=(40, 3)), (np.arange(40) + shift) % 2
    savez(folder / "own.npz", x_train=x[:30], y_train=y[:30], x_test=x[30:], y_test=y[30:])


def set_state(launched, state):
    for _, folder, record in launched:
        done = {"state": state, "attempts": 1, "metrics": {"test/acc_at_best": 0.5}, "events": {}}
        write_record(folder, record | done)


def assert_content_refused(outcome, key):
    assert outcome.status == 2, outcome
    assert re.fullmatch(
        rf"gradflow: {key}: what it names has changed since \S*/seed=0 was trained, .*; use another study, or "
        r"rerun=true with every seed of this configuration\n",
        outcome.err,
    )


def test_runs_on_other_data_do_not_join_those_that_are_there(command, launched, tmp_path):
    save_table(tmp_path)
    assert command("-m", *OWN_DATA, "seed=0,1").status == 0
    assert [record["content"].keys() for _, _, record in launched] == [{"data.path"}] * 2
    set_state(launched, "finished")
    save_table(tmp_path, savez=np.savez_compressed)
    assert "0 runs to train (2 already done)" in command("-m", *OWN_DATA, "seed=0,1").out
    save_table(tmp_path, shift=1)
    for seeds in ("seed=0", "seed=0,1", "seed=2"):  # the last of these is new, its siblings are not
        assert_content_refused(command("-m", *OWN_DATA, seeds), r"data\.path=own\.npz")
    assert_content_refused(command(*OWN_DATA, "seed=1", "rerun=true"), r"data\.path=own\.npz")
    assert command("-m", *OWN_DATA, "seed=2", "study=other").status == 0
    assert command("-m", *OWN_DATA, "blocks=2", "seed=2").status == 0
    assert command("-m", *OWN_DATA, "seed=0,1", "rerun=true").status == 0
    assert len(launched) == 6
    assert command(*OWN_DATA, "seed=2").status == 0


@pytest.mark.parametrize("state", ["planned", "failed"])
def test_runs_without_a_result_take_what_is_there_now(command, launched, tmp_path, state):
    save_table(tmp_path)
    assert command(*OWN_DATA).status == 0
    set_state(launched, state)
    save_table(tmp_path, shift=1)
    assert command(*OWN_DATA, "seed=1").status == 0
    assert command(*OWN_DATA).status == 0
    contents = [record["content"]["data.path"] for _, _, record in launched]
    assert contents[0] != contents[1] == contents[2]


def test_a_class_that_was_edited_does_not_join_either(command, launched, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    file = tmp_path / "my_edited_activation.py"
    source = "from torch import nn\n\n\nclass Mine(nn.LeakyReLU):\n    pass\n"
    own = ("activation=custom", "activation._target_=my_edited_activation.Mine", "blocks=1", "width=4")
    try:
        file.write_text(source)
        assert command(*own).status == 0
        set_state(launched, "finished")
        file.write_text(source + "\n\n# A comment.\n")
        assert "1 already done" in command(*own).out
        file.write_text(source + "\n\nMine.negative_slope = 1\n")
        assert_content_refused(command("-m", *own, "seed=0,1"), r"activation\._target_=my_edited_activation\.Mine")
    finally:
        sys.modules.pop("my_edited_activation", None)


def test_what_changes_between_planning_and_training_is_not_trained(command, tmp_path, tiny, monkeypatch):
    save_table(tmp_path)
    announce = plan.announce
    monkeypatch.setattr(plan, "announce", lambda *a, **k: (announce(*a, **k), save_table(tmp_path, shift=1)))
    refused = command(*OWN_DATA, *tiny)
    assert refused.status == 2
    assert re.search(r"data\.path: what it names has changed since \S*/seed=0 was planned; give the", refused.err)
    assert [read_record(run)["state"] for run in tmp_path.glob("outputs/own/*/seed=0")] == ["planned"]
    monkeypatch.undo()
    assert command(*OWN_DATA, *tiny).status == 0


@pytest.mark.slow
def test_a_damaged_record_stops_the_command(command, launched, tmp_path):
    assert command("blocks=1", "width=4").status == 0
    ((_, folder, record),) = launched
    (tmp_path / folder / "run.json").write_text(json.dumps(record)[:100])
    outcome = command("blocks=1", "width=4")
    assert outcome.status == 2
    assert "run.json: damaged" in outcome.err
