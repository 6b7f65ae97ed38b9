"""The grid is that of Hydra's own sweeper, with the seeds varying slowest; each preset has its own."""

import itertools

import hydra
import pytest
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.types import RunMode

from gradflow import CONF
from gradflow.sweep.compositions import Compositions
from gradflow.sweep.grid import combinations


@pytest.fixture
def compositions():
    with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        loader = GlobalHydra.instance().config_loader()
        yield Compositions(loader, loader.load_configuration("train", [], RunMode.MULTIRUN))


@pytest.fixture
def grid(compositions, monkeypatch):
    """`grid(*arguments)`: the combinations of a command line without presets."""
    monkeypatch.setattr(compositions, "params", lambda options: {})
    return lambda *arguments: combinations(arguments, {}, compositions)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["blocks=2"],
        ["activation=relu,tanh", "blocks=1,2,4", "seed=3"],
        ["seed=range(5)", "blocks=range(8,2,-3)", "optimizer.lr=range(0.1,0.4,0.1)"],
        ["activation=choice(relu,elu)", "blocks=sort(4,1,2)", "width=tag(a,choice(8,4))"],
        ["init=glob(*)", "activation=glob([s*,t*],exclude=s*i*)"],
        ["width=[8,8],[4,2]", "study='a,b','it\\'s, (1)'", 'headline="x y",null'],
        [
            "+trainer.limit_train_batches=1,2",
            "++a=1e-3,true",
            "~callbacks.pictures",
            "~init=torch",
            "optimizer@other=sgd,adam",
        ],
        ["+activation={_target_:torch.nn.ReLU,inplace:true}", "data_dir=/data/here"],
        ["activation=relu,elu", "blocks=2,3", "seed=1", "activation=tanh", "seed=0,1"],  # as after a preset's params
    ],
)
def test_the_grid_is_that_of_hydras_own_sweeper(grid, arguments):
    loader = GlobalHydra.instance().config_loader()
    (expected,) = BasicSweeper.split_arguments(OverridesParser.create(loader).parse_overrides(arguments), None)
    seeds = [next((one for one in combination if one.startswith("seed=")), "") for combination in expected]
    by_seed = [[c for c, own in zip(expected, seeds, strict=True) if own == seed] for seed in dict.fromkeys(seeds)]
    assert grid(*arguments) == [combination for combinations in by_seed for combination in combinations]


@pytest.mark.parametrize("typed", [["seed=9", "blocks=1,2"], ["blocks=1,2", "seed=9"]])
def test_seeds_vary_slowest_then_the_first_key_and_a_later_value_replaces_an_earlier_one(grid, typed):
    found = grid(*typed, "activation=relu,elu", "seed=4,0")
    assert [dict(one.split("=") for one in combination) for combination in found] == [
        {"seed": seed, "blocks": blocks, "activation": activation}
        for seed in ("4", "0")
        for blocks in ("1", "2")
        for activation in ("relu", "elu")
    ]


def test_an_interval_is_refused(command):
    outcome = command("-m", "optimizer.lr=interval(0,1)")
    assert outcome.status == 2
    assert (
        "optimizer.lr=interval(0,1): an interval has no list of values; use range(start,stop) or a,b,c" in outcome.err
    )


def test_a_key_without_a_value_is_refused(command, tmp_path):
    for empty in ("seed=range(0)", "activation=glob(nothing*)"):
        outcome = command("-m", empty)
        assert (outcome.status, outcome.err.count("\n")) == (2, 1)
        assert f"{empty}: holds no value" in outcome.err
    assert not list(tmp_path.iterdir())


@pytest.fixture
def asked(monkeypatch):
    """The overrides of each run that a command asks for; nothing is planned."""
    found = []
    monkeypatch.setattr(
        "gradflow.sweep.plan.plan", lambda runs: found.extend(sorted(run.overrides) for run in runs) or []
    )
    return found


def of_preset(name, *more):
    """The sorted overrides of the runs of digits_depth or of digits_depth_tuned, seeds slowest."""
    tuned = {"optimizer.lr": ("0.0003", "0.001", "0.003", "0.01")} if name == "digits_depth_tuned" else {}
    own = {"blocks": (1, 4, 8) if tuned else (1, 2, 4, 6, 8), "activation": ("sigmoid", "relu"), **tuned}
    seeds = range(9 if tuned else 8)
    grid = [{f"{k}={v}" for k, v in zip(own, values, strict=True)} for values in itertools.product(*own.values())]
    return [sorted({f"experiment={name}", f"seed={seed}", *more} | one) for seed in seeds for one in grid]


def test_a_presets_values_come_before_those_of_the_command_line(command, asked):
    assert command("experiment=digits_depth", "activation=relu,elu", "seed=7", "width=4").status == 0
    assert asked == [
        sorted(["experiment=digits_depth", f"activation={activation}", f"blocks={blocks}", "seed=7", "width=4"])
        for activation in ("relu", "elu")
        for blocks in (1, 2, 4, 6, 8)
    ]


def test_each_preset_that_is_swept_over_has_its_own_combinations(command, asked):
    names = ("digits_depth", "digits_depth_tuned")
    assert command("-m", f"experiment={','.join(names)}", "width=4").status == 0
    expected = [run for name in names for run in of_preset(name, "width=4")]
    assert len(asked) == 80 + 216
    assert sorted(asked) == sorted(expected)
    seeds = [int(one.partition("=")[2]) for run in asked for one in run if one.startswith("seed=")]
    assert seeds == sorted(seeds)


def test_what_a_preset_sweeps_over_can_be_typed(command, asked):
    assert command("+hydra.sweeper.params.seed='3,4'", "blocks=1").status == 0
    assert asked == [["blocks=1", "seed=3"], ["blocks=1", "seed=4"]]
    for swept, remedy in {
        "+hydra.sweeper.params.seed=0,1": "write seed=0,1",
        "hydra/launcher=basic,joblib": "name one",
    }.items():
        outcome = command(swept)
        assert (outcome.status, outcome.err) == (
            2,
            f"gradflow: {swept}: a setting of Hydra's has one value for all runs; {remedy}\n",
        )


def test_a_pattern_takes_the_options_that_can_stand_alone(command, asked):
    assert command("-m", "activation=glob(*)").status == 0
    every = {file.stem for file in (CONF / "activation").glob("*.yaml")}
    assert {one for run in asked for one in run} == {f"activation={name}" for name in every - {"custom"}}


def test_options_of_a_folder_of_ones_own_are_found(command, asked, tmp_path):
    (tmp_path / "mine" / "activation").mkdir(parents=True)
    (tmp_path / "mine" / "activation" / "my_relu.yaml").write_text("name: my_relu\n_target_: torch.nn.ReLU\n")
    where = f"hydra.searchpath=[file://{tmp_path}/mine]"
    assert command(where, "activation=glob(my*)", "blocks=1").status == 0
    assert asked == [["activation=my_relu", "blocks=1"]]
    for wrong in ("activation=my_rely", "activation=null"):
        outcome = command(where, wrong)
        assert outcome.status == 2
        assert f"{wrong}: no such option" in outcome.err
        assert "my_relu" in outcome.err
