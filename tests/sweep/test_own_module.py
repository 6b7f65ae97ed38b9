"""`module=custom`: what makes no sense is refused in one line, and a study of such runs is one like any other."""

import csv

import pytest
from finished_runs import record, records, run_folders

from gradflow.runs.record import read_record
from gradflow.study.__main__ import main as study

OWN = ("module=custom", "data=custom", "data._target_=own_lightning.Points", "callbacks=none", "trainer=cpu")
CLASSIFIER = (*OWN, "module._target_=own_lightning.Classifier", "trainer.max_epochs=1")
TAKES = "takes no `{}`; leave it out, or add it to its __init__"

REFUSED = {
    ("module=custom",): "module._target_=???: name a class, e.g. module._target_=package.Class",
    (*OWN, "module._target_=own_lightning.Points"): "module._target_=own_lightning.Points: is no LightningModule",
    (*OWN, "module._target_=own_lightning.Silent"): "module.monitor=val/loss: never logged (logged: nothing)",
    (*OWN, "module._target_=own_lightning.Closures"): "its LBFGS evaluates a batch several times for one update",
    (*CLASSIFIER, "module.monitor=val/f"): "module.monitor=val/f: never logged; did you mean val/f1, val/loss?",
    (*CLASSIFIER, "headline=val/f2"): "headline=val/f2: never logged; did you mean val/f1",
    (*CLASSIFIER, "blocks=3"): f"blocks=3: no effect, as Classifier {TAKES.format('blocks')}",
    (*CLASSIFIER, "optimizer.lr=0.1"): f"optimizer.lr=0.1: no effect, as Classifier {TAKES.format('optimizer')}",
    (*CLASSIFIER, "model=mlp"): "model=mlp: no effect with module=custom, as Classifier has its own; leave it out",
    (*CLASSIFIER, "batch_norm=running"): "batch_norm=running: no effect with module=custom",
    (*CLASSIFIER, "+module.hiden=3"): "own_lightning.Classifier takes num_classes, activation, hidden, lr, spoil",
    (*CLASSIFIER, "+module.hidden=wide"): "module.hidden=wide: needs a whole number",
    (*CLASSIFIER, "+data.workers=some"): "data.workers=some: needs a whole number",
    (*CLASSIFIER, "trainer=ddp"): "trainer.devices=2: module=custom trains on one device",
    (*CLASSIFIER, "callbacks=early_stopping", "callbacks.early_stopping.monitor=val/acc"): "val/acc: never logged",
    (*OWN[1:],): "is a LightningDataModule, and module=gradflow needs arrays; use module=custom",
    (
        *("module=custom", "module._target_=own_lightning.TwoOptimizers", "module.monitor=val_score"),
        *("+module.seed=3", *OWN[1:]),
    ): "module.seed=3: set the knob itself, seed=...",
}


@pytest.mark.parametrize(("line", "said"), REFUSED.items(), ids=lambda part: " ".join(part)[-40:])
def test_what_makes_no_sense_is_refused_before_training(command, tmp_path, line, said):
    outcome = command(*line)
    assert outcome.status == 2
    assert said in outcome.err
    assert len(outcome.err.strip().splitlines()) == 1
    assert run_folders(tmp_path) == []


def test_what_a_monitored_value_wants_to_be_is_asked_where_its_name_does_not_say(command):
    outcome = command(*OWN, "module._target_=own_lightning.Odd", "module.monitor=val/quux")
    assert "add module.mode=min or module.mode=max" in outcome.err
    assert (
        command(
            *OWN,
            "module._target_=own_lightning.Odd",
            "module.monitor=val/quux",
            "module.mode=max",
            "trainer.max_epochs=1",
        ).status
        == 0
    )


def test_what_a_base_class_takes_counts(command, tmp_path):
    line = (*OWN, "module._target_=own_lightning.Inherits", "trainer.max_epochs=1")
    assert command(*line, "activation=tanh", "+module.hidden=4").status == 0
    (run,) = run_folders(tmp_path)
    assert (record(run)["activation"], record(run)["parameters"]) == ("tanh", 5 * 4 + 4 + 4 * 2 + 2)


@pytest.fixture(scope="module")
def swept(command_in, tmp_path_factory):
    """A study of two widths and two seeds, with every monitor but the pictures, judged by an F1 score."""
    folder = tmp_path_factory.mktemp("swept")
    options = ("+module.hidden=4,6", "seed=0,1", "headline=val/f1", "module.monitor=val/f1", "study=widths")
    monitors = ("callbacks=default", "callbacks.pictures=null")
    outcome = command_in(
        folder, *OWN, "module._target_=own_lightning.NoActivation", *options, *monitors, "trainer.max_epochs=2"
    )
    assert outcome.status == 0, outcome.err
    return folder


def test_a_study_compares_the_axis_that_is_swept(swept, capsys):
    found = records(swept).values()
    assert {one["activation"] for one in found} == {None}
    assert {(one["axes"]["module.hidden"], one["blocks"], one["lr"]) for one in found} == {
        (4, None, 0.02),
        (6, None, 0.02),
    }
    assert study([str(swept / "outputs" / "widths"), "compare"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "open whether module.hidden=4 or module.hidden=6 scores higher" in said or "val/f1" in said
    assert "difference: module.hidden minus baseline" in said
    assert "activation" not in said


def test_its_report_has_every_seed_of_what_was_logged_and_measured(swept):
    folder = swept / "outputs" / "widths"
    assert study([str(folder), "average"]) == 0
    assert study([str(folder), "report"]) == 0
    with (folder / "report" / "table.csv").open() as file:
        rows = {(row["activation"], row["metric"]): row for row in csv.DictReader(file)}
    for run in run_folders(swept):
        one = record(run)
        for tag in ("val/f1", "test/f1_at_best", "train/loss", "grad_norm/total", "dead_units/total"):
            row = rows[f"module.hidden={one['axes']['module.hidden']}", tag]
            assert float(row[f"seed={one['seed']}"]) == pytest.approx(one["metrics"][tag])


def test_the_same_command_trains_nothing_and_the_files_of_the_classes_count(swept, command_in):
    options = ("+module.hidden=4,6", "seed=0,1", "headline=val/f1", "module.monitor=val/f1", "study=widths")
    again = command_in(swept, *OWN, "module._target_=own_lightning.NoActivation", *options, "trainer.max_epochs=2")
    assert "0 runs to train (4 already done)" in again.out  # monitors do not count
    assert read_record(run_folders(swept)[0])["content"].keys() >= {"module._target_", "data._target_"}


def test_the_module_and_its_batch_size_are_its_own(command, tmp_path):
    """The options of data=custom for arrays, such as its batch size, do not reach a data module."""
    assert command(*CLASSIFIER).status == 0
    config = (run_folders(tmp_path)[0] / ".hydra" / "config.yaml").read_text()
    assert "batch_size" not in config
    assert "model: {}" in config
    assert "blocks: null" in config
