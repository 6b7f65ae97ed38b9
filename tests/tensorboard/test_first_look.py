"""Which cards, runs and colours TensorBoard's address asks for."""

import json
import re
from urllib.parse import parse_qs

import pytest
from forged_runs import run_record, typical, write_run

from gradflow.study.averages import average_study
from gradflow.study.records import study_runs
from gradflow.study.treatments import with_treatments
from gradflow.tensorboard.first_look import BoardStudy, query

GAIN = {"grad_flow/gain_per_layer": [0.5], "dead_units/total": [0.0]}


def board(folder, *, name="", averaged=True):
    records = study_runs(folder)
    if averaged:
        average_study(folder, records)
    return BoardStudy(name=name, folder=folder, place=folder, records=records)


def asked(*studies):
    """The parts of the address, as a browser takes them apart."""
    return {key: value for key, (value,) in parse_qs(query(studies), strict_parsing=True).items()}


def pinned(*studies):
    cards = json.loads(asked(*studies)["pinnedCards"])
    assert {card["plugin"] for card in cards} == {"scalars"}
    return [card["tag"] for card in cards]


def write(study, activation="relu", *, blocks=(2, 4), **more):
    for depth in blocks:
        run = typical(blocks=depth)
        write_run(study, activation=activation, **run | {"curves": run["curves"] | GAIN}, **more)


def test_scores_against_depth_are_pinned_first_then_the_curves(tmp_path):
    write(tmp_path)
    assert pinned(board(tmp_path)) == [
        "by depth/test accuracy",
        "by depth/gradient gain per layer",
        "by depth/dead units",
        "val/acc",
        "train/loss",
        "grad_flow/gain_per_layer",
        "dead_units/total",
    ]
    assert asked(board(tmp_path))["smoothing"] == "0"


def test_each_variant_has_its_cards_all_scores_first(tmp_path):
    write(tmp_path)
    write(tmp_path, axes={"model.norm": "none"})
    assert pinned(board(tmp_path))[:4] == [
        "by depth/test accuracy",
        "by depth/without normalisation: test accuracy",
        "by depth/gradient gain per layer",
        "by depth/without normalisation: gradient gain per layer",
    ]


def test_only_what_there_is_is_pinned_however_shallow_the_first_network(tmp_path):
    write_run(tmp_path, blocks=1, curves={"r2": [0.1], "val/r2": [0.1]}, headline="test/r2_at_best")
    write_run(
        tmp_path, blocks=4, curves={"val/r2": [0.1], "grad_flow/first_to_last": [0.1]}, headline="test/r2_at_best"
    )
    assert pinned(board(tmp_path)) == ["val/r2", "grad_flow/first_to_last"]


def test_the_runs_are_the_means_and_what_is_against_depth(tmp_path):
    for seed in range(2):
        write(tmp_path, seed=seed)
    study = board(tmp_path)
    every = {str(file.parent.relative_to(tmp_path)) for file in tmp_path.rglob("events*")}
    shown = re.compile(asked(study)["runFilter"], re.IGNORECASE)  # as TensorBoard's page does
    means = {f"activation=relu,blocks={blocks}/mean" for blocks in (2, 4)}
    assert {run for run in every if shown.search(run)} == means | {
        f"summary/activation=relu/{kind}" for kind in ("mean", "lower", "upper")
    }


def test_every_run_is_shown_where_nothing_is_averaged_yet(tmp_path):
    write(tmp_path / "new", state="running")
    assert "runFilter" not in asked(board(tmp_path / "new"))
    write(tmp_path / "old")
    several = [board(tmp_path / name, name=f"{name}/") for name in ("new", "old")]
    shown = re.compile(asked(*several)["runFilter"])
    assert shown.search("new/activation=relu,blocks=2/seed=0")
    assert shown.search("old/activation=relu,blocks=2/mean")
    assert not shown.search("old/activation=relu,blocks=2/seed=0")


@pytest.mark.parametrize(
    ("axes", "groups"),
    [
        pytest.param([{}, {"model.norm": "none"}], {("relu",)}, id="variants share their activation's colour"),
        pytest.param(
            [{}, {"activation.slope": 0.2}, {"model.norm": "none", "activation.slope": 0.2}],
            {("relu", None), ("relu", "0.2")},
            id="parameters of an activation have their own",
        ),
    ],
)
def test_one_colour_for_each_activation(tmp_path, axes, groups):
    for one in axes:
        write(tmp_path, axes=one)
    study = board(tmp_path)
    pattern = asked(study)["runColorGroup"]
    assert pattern.startswith("regex:")
    runs = [str(folder.relative_to(tmp_path)) for folder in [*study.means, *study.summaries]]
    assert {re.search(pattern.removeprefix("regex:"), run).groups() for run in runs} == groups


def test_what_stands_in_activations_place_has_the_colours(tmp_path):
    axes = [{"module": "mine", "module.hidden": hidden} for hidden in (8, 16)]
    records = with_treatments([run_record() | {"axes": one} for one in axes])
    study = BoardStudy(name="", folder=tmp_path, place=tmp_path, records=records)
    pattern = asked(study)["runColorGroup"].removeprefix("regex:")
    found = re.search(pattern, "module=mine,module.hidden=16/mean")
    assert found
    assert found.groups() == ("16",)
