"""Finished runs tested again, on their own data and on others."""

import io
import json
import shutil

import numpy as np
import pandas as pd
import pytest
from finished_runs import record, run_folders
from omegaconf import OmegaConf
from rich.console import Console

import gradflow
from gradflow.evaluate import show
from gradflow.evaluate.__main__ import main
from gradflow.evaluate.score import Result
from gradflow.runs.record import write_record
from gradflow.training.load import TrainedRun

SMALL = (
    "trainer=cpu",
    "width=4",
    "blocks=1",
    "trainer.max_epochs=3",
    "callbacks=none",
    "threads=1",
    "optimizer.lr=0.1",
)


@pytest.fixture(scope="module")
def root(command_in, tmp_path_factory):
    """The folder of a few finished studies: conv (two seeds), binary, regression, own pixels, own table."""
    root = tmp_path_factory.mktemp("studies")
    for name, numbers in (("mine", 0), ("other", 1)):
        generator = np.random.default_rng(numbers)
        table = {f"x_{part}": numbers + (1 + numbers) * generator.normal(size=(40, 3)) for part in ("train", "test")}
        np.savez(root / f"{name}.npz", **table, y_train=np.arange(40) % 2, y_test=np.arange(40) % 2)
        pixels = {f"x_{part}": generator.integers(256, size=(40, 6, 6), dtype=np.uint8) for part in ("train", "test")}
        np.savez(root / f"{name}_pixels.npz", **pixels, y_train=np.arange(40) % 4, y_test=np.arange(40) % 4)
    mlp = (*SMALL, "model=mlp")
    for arguments in (
        ("-m", *SMALL, "seed=0,1", "study=conv", "data.batch_size=120", "data.eval_batch_size=77"),
        (*mlp, "data=circles", "precision=bf16", "study=binary"),
        (*mlp, "data=diabetes", "output=tanh", "precision=64", "study=regression", "resample_split=true", "seed=3"),
        (*mlp, "data=npz", f"data.path={root}/mine.npz", "study=table"),
        (*mlp, "data=npz", f"data.path={root}/mine_pixels.npz", "data.pixel_range=[-1,1]", "study=pixels"),
    ):
        assert command_in(root, *arguments).status == 0
    return root


def runs_of(root, study):
    return [run for run in run_folders(root) if run.parent.parent.name == study]


@pytest.fixture
def evaluated(tmp_path, capsys):
    """`evaluated(*arguments)`: what `python -m gradflow.evaluate *arguments` writes to a file, a dict for each run."""

    def call(*arguments):
        file = tmp_path / "results.json"
        assert main([*map(str, arguments), f"--output={file}"]) == 0, capsys.readouterr().err
        return json.loads(file.read_text())

    return call


@pytest.fixture
def refused(capsys):
    """`refused(*arguments)`: the one line of a command that is refused."""

    def call(*arguments):
        assert main([*map(str, arguments)]) == 2
        line = capsys.readouterr().err
        assert line.startswith("gradflow: ")
        assert line.count("\n") == 1
        return line[len("gradflow: ") : -1]

    return call


def test_its_own_test_set_gives_the_recorded_scores_to_the_last_bit(root, evaluated):
    before = {file: file.stat().st_mtime_ns for file in root.rglob("*")}
    for epoch, suffix in (("best", "_at_best"), ("last", "")):
        results = evaluated(*run_folders(root), f"--epoch={epoch}")
        assert len(results) == 6
        for run, result in zip(run_folders(root), results, strict=True):
            recorded = record(run)["metrics"]
            names = ("loss", "mae", "r2") if result["data"] == "diabetes" else ("loss", "acc")
            assert {name: result[name] for name in names} == {name: recorded[f"test/{name}{suffix}"] for name in names}
            assert (result["folder"], result["seed"]) == (str(run), record(run)["seed"])
            assert (result["part"], result["trained_on"]) == ("test", 0)
    assert {file: file.stat().st_mtime_ns for file in root.rglob("*")} == before


def test_variables_that_quotes_have_kept_from_the_shell_are_expanded(root, evaluated, refused, monkeypatch):
    monkeypatch.setenv("STUDIES", str(root))
    (run,) = runs_of(root, "table")
    typed = f"$STUDIES/{run.relative_to(root)}"
    (named,), (expected,) = (
        evaluated(typed, "data.path=$STUDIES/other.npz"),
        evaluated(run, f"data.path={root}/other.npz"),
    )
    (anew,) = evaluated(typed, "data=npz", "data.path=$STUDIES/other.npz")
    assert named == expected == anew
    assert gradflow.load_network(typed).predict(np.zeros((2, 3))).shape == (2,)
    assert "data.path=$NOWHERE/x.npz: the environment variable NOWHERE" in refused(run, "data.path=$NOWHERE/x.npz")


def test_other_parts_of_its_data_and_what_it_was_trained_on(root, evaluated, capsys):
    run, _ = runs_of(root, "conv")
    sizes = {"train": (1197, 1197), "validation": (300, 0), "test": (300, 0), "all": (1797, 1197)}
    found = {part: evaluated(run, f"--split={part}")[0] for part in sizes}
    assert {part: (one["samples"], one["trained_on"]) for part, one in found.items()} == sizes
    right = {part: one["acc"] * one["samples"] for part, one in found.items()}
    assert right["all"] == pytest.approx(right["train"] + right["validation"] + right["test"], abs=0.01)
    capsys.readouterr()
    main([str(run), "data=digits", "data.split_seed=1"])
    assert "of the 300 samples are in the training set of activation=relu" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(("study", "file"), [("table", "other.npz"), ("pixels", "other_pixels.npz")])
def test_other_data_are_scaled_like_its_own_training_set(root, evaluated, study, file):
    (run,) = runs_of(root, study)
    stored = np.load(root / file)
    right = (gradflow.load_network(run).predict(_images(stored["x_test"])).numpy() == stored["y_test"]).mean()
    (of_option,) = evaluated(run, "data=npz", f"data.path={root / file}")
    (of_value,) = evaluated(run, f"data.path={root / file}")
    assert of_option["acc"] == of_value["acc"] == np.float32(right)
    assert of_option["loss"] == of_value["loss"] != record(run)["metrics"]["test/loss_at_best"]


def _images(x):
    return x[:, None] if x.ndim == 3 else x


def test_configurations_and_studies_stand_for_their_finished_runs(root, evaluated, capsys, tmp_path):
    study = shutil.copytree(root / "outputs" / "conv", tmp_path / "conv")
    (configuration,) = study.glob("activation=*")
    both = evaluated(configuration)
    assert [one["seed"] for one in both] == [0, 1]
    assert evaluated(study) == both == evaluated(*sorted(configuration.iterdir()), configuration)
    printed = capsys.readouterr().out
    mean, sd = np.mean([one["acc"] for one in both]), np.std([one["acc"] for one in both], ddof=1)
    assert f"{mean:.4f} ± {sd:.4f}" in printed
    write_record(configuration / "seed=1", record(configuration / "seed=1") | {"state": "failed"})
    assert [one["seed"] for one in evaluated(study)] == [0]
    assert f"{study}: 1 of 2 runs are not finished; left out" in capsys.readouterr().out


def test_folders_and_files_may_be_named_by_variables_in_quotes(root, evaluated, tmp_path, monkeypatch):
    run, _ = runs_of(root, "conv")
    monkeypatch.setenv("STUDIES", str(root))
    monkeypatch.setenv("RESULTS", str(tmp_path))
    named = str(run).replace(str(root), "$STUDIES")
    assert evaluated(named) == evaluated(run)
    assert main([named, "--output=$RESULTS/named.csv"]) == 0
    assert (tmp_path / "named.csv").exists()


def test_results_can_be_a_csv_file(root, tmp_path):
    run, _ = runs_of(root, "conv")
    assert main([str(run), f"--output={tmp_path / 'results.csv'}"]) == 0
    (row,) = pd.read_csv(tmp_path / "results.csv").to_dict("records")
    assert row["acc"] == record(run)["metrics"]["test/acc_at_best"]
    assert (row["activation"], row["blocks"], row["samples"]) == ("relu", 1, 300)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("data=circles",), "data=circles: task binary, but classification for the network of"),
        (("data=npz", "data.path={root}/mine_pixels.npz"), "data=npz: shape of a sample (1, 6, 6), but (1, 8, 8) for"),
        (("data=npz", "data.path={root}/none.npz"), "data.path={root}/none.npz: there is no such file"),
        (("data=npz",), "data.path=null: data=npz needs a file"),
        (("data=nothing",), "data=nothing: no such option"),
        (("data=digits", "data.nothing=3"), "data.nothing=3: no such key"),
        (("data.nothing=3",), "{run}: its data set cannot be built ("),
        (("data=digits,circles",), "data=digits,circles: give a key of the group data one value"),
        (("~data.name",), "~data.name: give a key of the group data one value"),
        (("data.pixel_range=[0,255]",), "data.pixel_range=[0,255]: no effect"),
        (("data=digits", "data.batch_size=3"), "data.batch_size=3: no effect"),
        (("data.path='",), "data.path=': not understood"),
        (("--output={run}/x.csv",), "--output={run}/x.csv: this is a run folder"),
        (("--output=x.xlsx",), "--output=x.xlsx: name a file that ends in .csv or .json"),
        (("--output={root}/none/x.csv",), "--output={root}/none/x.csv: there is no folder"),
        (("optimizer.lr=1",), "optimizer.lr=1: no such folder"),
        (("{root}/outputs/none",), "{root}/outputs/none: no such folder"),
        (("{root}",), "{root}: not a run folder; name one, e.g. {root}/outputs/"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(root, refused, arguments, message):
    run, _ = runs_of(root, "conv")
    names = {"root": root, "run": run}
    assert refused(run, *(one.format(**names) for one in arguments)).startswith(message.format(**names))


def test_without_a_run_there_is_nothing_to_test(refused):
    assert refused("data=digits").startswith("RUN: missing; name a run folder, e.g. outputs/")


@pytest.fixture
def table_run(root, tmp_path):
    (run,) = runs_of(root, "table")
    return shutil.copytree(run, tmp_path / "outputs" / "table" / run.parent.name / "seed=0")


def change(run, key, value):
    file = run / ".hydra" / "config.yaml"
    cfg = OmegaConf.load(file)
    OmegaConf.update(cfg, key, value, force_add=True)
    OmegaConf.save(cfg, file)


def test_its_own_data_that_have_changed_are_refused_and_named_ones_are_not(
    table_run, root, tmp_path, refused, evaluated
):
    changed = shutil.copy(root / "other.npz", tmp_path / "changed.npz")
    change(table_run, "data.path", str(changed))
    assert refused(table_run).startswith(f"data.path: what it names has changed since {table_run} was trained")
    assert evaluated(table_run, f"data.path={changed}")[0]["samples"] == 40


def test_code_that_the_folder_names_is_run_only_if_it_is_trusted(table_run, root, tmp_path, monkeypatch, refused):
    executed = tmp_path / "executed"
    (tmp_path / "their_data.py").write_text(f"import pathlib\npathlib.Path({str(executed)!r}).touch()\n")
    monkeypatch.syspath_prepend(tmp_path)
    change(table_run, "data.source._target_", "their_data.arrays")
    said = refused(table_run)
    assert said.startswith(f"{table_run}: data.source._target_=their_data.arrays is not a data set of gradflow")
    assert said.endswith("use --trust")
    assert not executed.exists()
    assert main([str(table_run), "data=npz", f"data.path={root / 'other.npz'}"]) == 0  # the folder's are not built
    assert "cannot be built" in refused(table_run, "--trust")
    assert executed.exists()


def test_targets_of_the_command_line_are_the_users_own(table_run, evaluated):
    change(table_run, "data.source._target_", "their_data.arrays")
    (result,) = evaluated(table_run, "data.source._target_=gradflow.data.sources.npz")
    assert result["acc"] == record(table_run)["metrics"]["test/acc_at_best"]


def test_nothing_is_cut_off_on_a_narrow_screen(root):
    config = "activation=leaky_relu,blocks=12,model=mlp,width=256x128,model.norm=batch,trainer.max_epochs=20"
    results = []
    for seed in (0, 1):
        run = root / "outputs" / "study" / config / f"seed={seed}"
        own = record(runs_of(root, "conv")[0]) | {"config": config, "seed": seed}
        scores = {"loss": 1.23456 + seed, "acc": 0.5}
        results.append(Result(TrainedRun(run, own, OmegaConf.create()), 12, "npz", "validation", 10_000, 9, scores))
    out = io.StringIO()
    Console(file=out, width=80).print(show.table(results))
    assert max(map(len, out.getvalue().splitlines())) <= 80
    assert "…" not in out.getvalue()
    assert "npz, validation set" in out.getvalue()
    cells = [line.split("│")[1:-1] for line in out.getvalue().splitlines() if line.startswith("│")]
    assert "".join(cell[0].strip() for cell in cells) == config
    assert [cell.strip() for cell in cells[0][1:]] == ["0", "12", "10,000", "1.2346", "0.5000"]
    assert "1.7346 ± 0.7071" in out.getvalue()
    assert "9 of the 10,000 samples are in the training set" in out.getvalue()
