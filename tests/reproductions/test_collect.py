"""From made-up run folders to the tables that are kept, number by number."""

import pytest
from forged_runs import PROVENANCE, write_mnist_sgd, write_run

from gradflow.reproductions import stored
from gradflow.reproductions.collect import collect, command
from gradflow.reproductions.measured import by_seed, mean_curve
from gradflow.reproductions.published import Claim


@pytest.fixture
def study(tmp_path):
    return tmp_path / "mnist_sgd"


def test_every_run_of_the_preset_has_a_row_finished_or_not(study):
    write_mnist_sgd(study, {"relu": [0.97, 0.98]})
    write_run(study, activation="sigmoid", blocks=1, seed=1, state="failed")
    write_run(study, activation="sigmoid", blocks=1, seed=2, state="running")  # and no process that trains it
    runs = collect(study).runs
    assert len(runs) == 9
    states = {(row["activation"], row["seed"]): row["state"] for row in runs.to_dict("records")}
    assert states[("relu", 0)] == states[("relu", 1)] == "finished"
    assert (states[("sigmoid", 1)], states[("sigmoid", 2)]) == ("failed", "interrupted")
    assert states[("relu", 2)] == states[("tanh", 0)] == "not run"
    relu = runs[(runs["activation"] == "relu") & (runs["seed"] == 1)].iloc[0]
    assert (relu["test/acc"], relu["parameters"], relu["minutes"]) == (0.98, 1234, 1.0)


def test_runs_beyond_the_preset_count_too(study):
    write_mnist_sgd(study, {"relu": [0.97] * 5})
    tables = collect(study)
    assert tables.finished["seed"].tolist() == [0, 1, 2, 3, 4]
    assert len(tables.runs) == 11


def test_curves_are_kept_by_epoch(study):
    curves = {
        "val/acc": {2: 0.5, 4: 0.7},
        "train/acc": {2: 0.4, 4: 0.6},
        "grad_norm/total": [1.0, 100.0, 4.0, 9.0],  # geometric means of two updates each: 10 and 6
        "grad_abs_mean": [1.0, 3.0, 5.0, 7.0],  # arithmetic: 2 and 6
    }
    write_run(study, blocks=1, curves=curves, metrics={"test/acc": 0.7})
    epochs = collect(study).epochs
    assert epochs["epoch"].tolist() == [1, 2]
    assert epochs["val/acc"].tolist() == pytest.approx([0.5, 0.7])  # stored in float32
    assert epochs["grad_norm/total"].tolist() == pytest.approx([10.0, 6.0])
    assert epochs["grad_abs_mean"].tolist() == pytest.approx([2.0, 6.0])


def test_other_settings_are_not_mixed_in(study):
    write_mnist_sgd(study, {"relu": [0.97, 0.98]})
    write_mnist_sgd(study, {"relu": [0.5]}, axes={"optimizer.lr": 1})
    tables = collect(study)
    assert tables.finished["test/acc"].tolist() == [0.97, 0.98]
    assert (tables.facts["left_out"], tables.facts["differs"]) == ("1", "")


def test_the_same_file_in_another_folder_is_the_same_setting(study):
    write_mnist_sgd(study, {"relu": [0.97]}, axes={"data.path": "/a/x.npz"})
    write_mnist_sgd(study, {"tanh": [0.96]}, axes={"data.path": "/b/x.npz"})
    write_mnist_sgd(study, {"sigmoid": [0.5]}, axes={"data.path": "/b/y.npz"})
    tables = collect(study)
    assert sorted(tables.finished["test/acc"]) == [0.96, 0.97]
    assert (tables.facts["left_out"], tables.facts["differs"]) == ("1", "data.path=x.npz")


def test_the_tables_contain_no_paths_of_a_machine(study):
    provenance = PROVENANCE | {"command": "/home/me/train.py data=npz data.path=/d/x_jpeg.npz"}
    axes = {"data": "npz", "data.path": "/d/x_jpeg.npz"}
    write_mnist_sgd(study, {"relu": [0.97]}, axes=axes, provenance=provenance)
    facts = collect(study).facts
    assert facts["differs"] == "data=npz, data.path=x_jpeg.npz"
    assert facts["command"] == "python train.py data=npz data.path=x_jpeg.npz"
    assert not [text for text in facts.values() if "/d/" in text or "/home" in text]


def test_a_command_without_the_paths_of_a_machine():
    typed = "/a/train.py experiment=x hydra/launcher=joblib output_dir=/o data_dir='/d' \"data.path='/d/y.npz'\""
    assert command(typed) == "python train.py experiment=x hydra/launcher=joblib data.path=y.npz"


def test_facts_are_those_of_the_finished_runs(study):
    write_mnist_sgd(study, {"relu": [0.97, 0.98]})
    facts = collect(study).facts
    assert (facts["commit"], facts["tree"], facts["torch"]) == ("c0ffee", "clean", "2.11.0")
    assert (facts["minutes"], facts["elapsed_minutes"]) == ("2.0", "1.0")  # both runs in the same minute


def test_nothing_has_finished(study):
    assert collect(study) is None
    write_run(study, blocks=1, state="planned", provenance=None, duration_s=None)
    assert collect(study) is None


def test_what_is_written_is_read_again(study, tmp_path):
    write_mnist_sgd(study, {"relu": [0.9712345, 0.98]})
    tables = collect(study)
    stored.write(tmp_path / "kept", tables)
    again = stored.read(tmp_path / "kept")
    assert again.facts == tables.facts
    assert again.finished["test/acc"].tolist() == [0.9712345, 0.98]
    assert again.finished["blocks"].isna().all()
    assert again.epochs["val/acc"].tolist() == pytest.approx(tables.epochs["val/acc"].tolist())
    assert stored.read(tmp_path / "nothing") is None


def test_runs_without_monitors_or_curves_have_their_final_metrics(study):
    write_run(study, seed=0, blocks=1, curves={"val/acc": {2: 0.5}}, metrics={"test/acc": 0.6})
    write_run(study, seed=1, blocks=1, metrics={"test/acc": 0.7})
    tables = collect(study)
    assert tables.finished["test/acc"].tolist() == [0.6, 0.7]
    assert tables.epochs["seed"].tolist() == [0]
    assert tables.epochs["grad_norm/total"].isna().all()
    norms = Claim(text="", activation="relu", metric="grad_norm/total", over="epochs", rule="below", other="tanh")
    assert by_seed(norms, tables) == {}
    assert mean_curve(tables, "relu", None, "train/acc").empty


def test_runs_that_were_kept_before_stay(tmp_path):
    write_mnist_sgd(tmp_path / "a" / "mnist_sgd", {"relu": [0.97, 0.98], "tanh": [0.95]})
    write_mnist_sgd(tmp_path / "b" / "mnist_sgd", {"relu": [0.971], "sigmoid": [0.92]})
    stored.write(tmp_path / "kept", collect(tmp_path / "a" / "mnist_sgd"))
    tables = stored.together(stored.read(tmp_path / "kept"), collect(tmp_path / "b" / "mnist_sgd"))
    scores = {(r["activation"], r["seed"]): r["test/acc"] for r in tables.finished.to_dict("records")}
    # The newest result of a run, and those that only the first study had.
    assert scores == {("relu", 0): 0.971, ("relu", 1): 0.98, ("tanh", 0): 0.95, ("sigmoid", 0): 0.92}
    assert len(tables.runs) == 9
    assert tables.runs["activation"].tolist() == ["sigmoid"] * 3 + ["tanh"] * 3 + ["relu"] * 3
    curves = tables.epochs.groupby(["activation", "seed"])["val/acc"].last()
    assert {key: pytest.approx(value) for key, value in curves.items()} == scores
    assert (tables.facts["minutes"], tables.facts["elapsed_minutes"]) == ("4.0", "")
    assert tables.facts["commit"] == "c0ffee"


def test_what_differs_from_run_to_run_is_listed_for_all(tmp_path):
    for name, threads, typed in (("a", 1, "train.py blocks=1"), ("b", 2, "train.py resume=x"), ("b", 2, "train.py")):
        accuracies = {"relu": [0.97]} if name == "a" else {"tanh" if "resume" in typed else "sigmoid": [0.9]}
        provenance = PROVENANCE | {"command": typed, "threads": threads}
        write_mnist_sgd(tmp_path / name / "mnist_sgd", accuracies, provenance=provenance)
    first, second = (collect(tmp_path / name / "mnist_sgd") for name in "ab")
    facts = stored.together(first, second).facts
    assert stored.each(facts["command"]) == ["python train.py blocks=1", "python train.py"]
    assert (facts["threads"], facts["python"]) == ("1; 2", second.facts["python"])


def test_of_different_settings_those_with_more_runs_stay(tmp_path):
    write_mnist_sgd(tmp_path / "a" / "mnist_sgd", {"relu": [0.97, 0.98]})
    write_mnist_sgd(tmp_path / "b" / "mnist_sgd", {"relu": [0.5]}, axes={"optimizer.lr": 1})
    many, few = (collect(tmp_path / name / "mnist_sgd") for name in "ab")
    assert stored.together(many, few) is many
    assert stored.together(few, many) is many
