"""The sweeper's grid is that of Hydra's own sweeper, with the seeds varying slowest."""

import hydra
import pytest
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser

from gradflow import CONF
from hydra_plugins.gradflow_sweeper.sweeper import grid


@pytest.fixture
def parse():
    """`parse(*arguments)`: the overrides that Hydra makes of them."""
    with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        yield OverridesParser.create(config_loader=GlobalHydra.instance().config_loader()).parse_overrides


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
def test_the_grid_is_that_of_hydras_own_sweeper(parse, arguments):
    overrides = parse(arguments)
    (expected,) = BasicSweeper.split_arguments(overrides, None)
    seeds = [next((one for one in combination if one.startswith("seed=")), "") for combination in expected]
    by_seed = [[c for c, own in zip(expected, seeds, strict=True) if own == seed] for seed in dict.fromkeys(seeds)]
    assert grid(overrides) == [combination for combinations in by_seed for combination in combinations]


@pytest.mark.parametrize("typed", [["seed=9", "blocks=1,2"], ["blocks=1,2", "seed=9"]])
def test_seeds_vary_slowest_then_the_first_key_and_a_later_value_replaces_an_earlier_one(parse, typed):
    found = grid(parse([*typed, "activation=relu,elu", "seed=4,0"]))
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


def test_a_presets_values_come_before_those_of_the_command_line(command, monkeypatch):
    asked = []
    monkeypatch.setattr("gradflow.sweep.plan.plan", lambda combinations, *_: asked.extend(combinations) or [])
    assert command("experiment=digits_depth", "activation=relu,elu", "seed=7", "width=4").status == 0
    assert asked == [
        [f"activation={activation}", f"blocks={blocks}", "seed=7", "experiment=digits_depth", "width=4"]
        for activation in ("relu", "elu")
        for blocks in (1, 2, 4, 6, 8)
    ]
