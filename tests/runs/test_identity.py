"""Which runs are the same: hash and folder name agree on it."""

import functools

import pytest
from omegaconf import OmegaConf

from gradflow.runs import folders, identity
from gradflow.sweep.checks import configuration


@pytest.fixture(scope="module")
def identify(compose_run):
    """`identify(*overrides)`: (hash, folder name) of a run."""
    cached = functools.cache(compose_run)

    @functools.cache
    def identified(*overrides):
        cfg, choices = cached(*overrides)
        has_batch_norm = cfg.model.get("norm") == "batch"
        axes = identity.study_axes(cfg, choices, lambda wanted: cached(*wanted), has_batch_norm=has_batch_norm)
        return identity.digest(
            identity.counted(identity.whole(cfg), has_batch_norm=has_batch_norm)
        ), folders.config_name(axes)

    return identified


# A change of any of these would part every study from what it has trained.
HASHES = {
    "activation=maxout": "77ef087fa781",
    "model=lenet5": "58a590af7a5f",
    "data=moons": "daec6cd935dc",
    "optimizer=adamw": "fd8b9d5cba0c",
    "schedule=step": "48d5bfd94f18",
    "callbacks=early_stopping": "c7f60b7d00f6",
    "experiment=mnist_adam": "ab2ca5affd46",
    "experiment=cifar10_lenet5_normalised": "3ab39acf5647",
    "experiment=digits_depth": "8b8544b5fa13",
}


@pytest.mark.parametrize(("option", "expected"), HASHES.items(), ids=str)
def test_the_hash_of_an_unchanged_configuration_stays(compose_run, option, expected):
    cfg, _ = compose_run(option)
    before = OmegaConf.to_yaml(cfg)
    configuration.check(cfg)
    assert OmegaConf.to_yaml(cfg) == before  # a check changes nothing
    assert identity.digest(identity.counted(identity.whole(cfg), has_batch_norm=True)).startswith(expected)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["optimizer.lr=1e-2"], ["optimizer.lr=0.01"]),
        (["optimizer.lr=0.001"], []),
        (["optimizer.weight_decay=0"], ["optimizer.weight_decay=0.0"]),
        (["activation=relu", "model=conv", "blocks=4", "seed=0"], []),
        (["width=8", "blocks=2"], ["blocks=2", "width=8"]),
        (
            ["+trainer.limit_train_batches=2", "+trainer.limit_val_batches=1"],
            ["+trainer.limit_val_batches=1", "+trainer.limit_train_batches=2"],
        ),
        (["model=mlp", "optimizer=sgd"], ["optimizer=sgd", "model=mlp"]),
        (["width=[8,4]", "model=mlp", "blocks=2"], ["model=mlp", "blocks=2", "width=[8, 4]"]),
        (["++optimizer.lr=0.01"], ["optimizer.lr=0.01"]),
        (["model.width=${width}"], []),
        (["optimizer=adam", "optimizer.lr=0.01"], ["optimizer.lr=0.01"]),
    ],
    ids=str,
)
def test_equal_configurations_are_the_same_run_however_they_are_written(identify, one, other):
    assert identify(*one) == identify(*other)


@pytest.mark.parametrize(
    "override",
    [
        "trainer=cpu",
        "trainer=gpu",
        "trainer.devices=[1]",
        "+trainer.max_time=00:01:00:00",
        "+trainer.max_time={hours: 1}",
        "+trainer.strategy=auto",
        "+trainer.profiler=simple",
        "logger=none",
        "output_dir=elsewhere",
        "data_dir=elsewhere",
        "study=other",
        "headline=test/loss",
        "callbacks.pictures=null",
        "~callbacks.health_warnings",
        "callbacks=none",
        "callbacks.gradient_norms=null",
        "~callbacks.gradient_norms",
        "callbacks.gradient_norms.every_n_steps=10",
        "+callbacks.own._target_=effective_rank.EffectiveRank",
        "threads=1",
        "output=null",
        "resample_split=false",
        "steps_per_execution=1",
        "optimizer.fused=false",
        "activation.inplace=false",
        "callbacks.health_warnings.dead_fraction=0.5",
    ],
)
def test_what_cannot_change_the_result_does_not_count(identify, override):
    assert identify(override) == identify()


COUNTED = [
    "activation=sigmoid",
    "activation=leaky_relu",
    "blocks=3",
    "width=8",
    "flush_denormal=false",
    "resample_split=true",
    "model=mlp",
    "model=lenet5",
    "model.norm=none",
    "model.bias=false",
    "model.dropout=0.5",
    "model.dropout=${optimizer.weight_decay}0.25",
    "model.residual=true",
    "model.kernel_size=5",
    "init=he",
    "init.bias=zero",
    "data=mnist",
    "data.batch_size=16",
    "data.eval_batch_size=500",
    "data.validation=last",
    "data.validation_size=0.2",
    "data.split_seed=1",
    "data.pixel_range=[-1,1]",
    "optimizer=sgd",
    "optimizer.lr=0.01",
    "optimizer.betas=[0.9,0.99]",
    "+optimizer.amsgrad=true",
    "+optimizer.amsgrad=1",
    "+optimizer.amsgrad=''",
    "~optimizer.weight_decay",
    "~optimizer.betas",
    "schedule=cosine",
    "schedule=step",
    "callbacks=early_stopping",
    "+callbacks.own._target_=lightning.pytorch.callbacks.LearningRateMonitor",
    "+callbacks.own._target_=own_callbacks.Noise",
    "+callbacks.own._target_=own_callbacks.some_monitor",
    "trainer.max_epochs=3",
    "precision=bf16",
    "output=softmax",
    "trainer.gradient_clip_val=1",
    "trainer.accumulate_grad_batches=2",
    "+trainer.limit_train_batches=2",
    "+trainer.limit_train_batches=0.5",
    "+anything.else=1",
]


NOISE = "+callbacks.own._target_=own_callbacks.Noise"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["callbacks=none", NOISE], [NOISE]),
        (["callbacks=early_stopping", "callbacks.early_stopping=null"], []),
        (["callbacks=early_stopping", "~callbacks.early_stopping", NOISE], [NOISE]),
        (["callbacks=early_stopping", "callbacks.pictures=null"], ["callbacks=early_stopping"]),
        ([NOISE, "callbacks.own=null"], []),
    ],
    ids=str,
)
def test_of_callbacks_those_that_may_change_training_decide(identify, one, other):
    assert identify(*one) == identify(*other)


@pytest.mark.parametrize("key", identity.BATCH_NORM)
def test_how_batch_norm_is_evaluated_counts_where_there_is_some(compose_run, key):
    def found(*overrides, has_batch_norm):
        cfg, choices = compose_run(*overrides, "activation=tanh")
        axes = identity.study_axes(cfg, choices, lambda wanted: compose_run(*wanted), has_batch_norm=has_batch_norm)
        return identity.digest(
            identity.counted(identity.whole(cfg), has_batch_norm=has_batch_norm)
        ), folders.config_name(axes)

    one, other, none = f"++{key}=17", f"++{key}=18", f"++{key}=null"
    assert found(one, has_batch_norm=True) != found(other, has_batch_norm=True) != found(none, has_batch_norm=True)
    assert found(one, has_batch_norm=False) == found(other, has_batch_norm=False) == found(none, has_batch_norm=False)
    assert f"{key}=17" in found(one, has_batch_norm=True)[1]
    assert found(one, has_batch_norm=False)[1] == "activation=tanh,blocks=4"


@pytest.mark.slow
def test_everything_else_does_and_shows_in_the_name(identify):
    found = {override: identify(override) for override in ["blocks=4", *COUNTED]}
    assert len({config_hash for config_hash, _ in found.values()}) == len(found)
    assert len({name for _, name in found.values()}) == len(found)


def test_seeds_have_hashes_of_their_own_and_share_a_name(identify):
    (one, name), (other, same_name) = identify("seed=1"), identify("seed=2")
    assert one != other
    assert name == same_name == "activation=relu,blocks=4"


@pytest.mark.parametrize(
    ("overrides", "name"),
    [
        ([], "activation=relu,blocks=4"),
        (["model=lenet5"], "activation=relu,model=lenet5"),
        (["optimizer=sgd"], "activation=relu,blocks=4,optimizer=sgd"),
        (["optimizer=sgd", "optimizer.lr=1"], "activation=relu,blocks=4,optimizer=sgd,optimizer.lr=1"),
        (["trainer=cpu", "trainer.max_epochs=2"], "activation=relu,blocks=4,trainer.max_epochs=2"),
        (["schedule=cosine", "trainer.max_epochs=2"], "activation=relu,blocks=4,schedule=cosine,trainer.max_epochs=2"),
        (["width=8"], "activation=relu,blocks=4,width=8"),
        (["output=tanh"], "activation=relu,blocks=4,output=tanh"),
        (["resample_split=true"], "activation=relu,blocks=4,resample_split=true"),
        (["model=mlp", "blocks=2", "width=[8,4]"], "activation=relu,blocks=2,model=mlp,width=8x4"),
        (
            ["activation=leaky_relu", "activation.negative_slope=0.2"],
            "activation=leaky_relu,blocks=4,activation.negative_slope=0.2",
        ),
        (["activation=custom", "activation._target_=package.Mine"], "activation=Mine,blocks=4"),
        (
            ["activation=custom", "activation._target_=package.Mine", "+activation.bend=2"],
            "activation=Mine,blocks=4,activation.bend=2",
        ),
        (
            ["activation=custom", "activation._target_=package.Mine", "activation.name=my_own"],
            "activation=my_own,blocks=4,activation._target_=package.Mine",
        ),
        (["experiment=mnist_sgd"], "activation=relu,blocks=1"),
        (["experiment=mnist_sgd", "blocks=2", "optimizer.lr=1"], "activation=relu,blocks=2,optimizer.lr=1"),
        (["experiment=mnist_sgd", "optimizer=adam"], "activation=relu,blocks=1,optimizer=adam"),
        (["~optimizer.betas"], "activation=relu,blocks=4,optimizer.betas=absent"),
        (["callbacks=early_stopping"], "activation=relu,blocks=4,callbacks=early_stopping"),
        (
            ["callbacks=early_stopping", "callbacks.early_stopping.patience=5"],
            "activation=relu,blocks=4,callbacks=early_stopping,callbacks.early_stopping.patience=5",
        ),
        ([NOISE], "activation=relu,blocks=4,callbacks.own._target_=own_callbacks.Noise"),
        (["callbacks=none"], "activation=relu,blocks=4"),
    ],
    ids=str,
)
def test_names_show_axes_then_options_then_single_keys(identify, overrides, name):
    assert identify(*overrides)[1] == name


def test_a_trainer_of_ones_own_counts_by_its_values(identify, compose_run):
    own, choices = compose_run("trainer.max_epochs=3", "trainer.accelerator=cpu")
    axes = identity.study_axes(
        own, choices | {"trainer": "own"}, lambda wanted: compose_run(*wanted), has_batch_norm=True
    )
    assert axes == {"activation": "relu", "blocks": 4, "trainer.max_epochs": 3}


def test_the_resolved_configuration_is_plain(compose_run):
    cfg, _ = compose_run("schedule=cosine", "trainer.max_epochs=2", "activation=custom")
    counted = identity.counted(identity.whole(cfg), has_batch_norm=True)
    assert counted["schedule.T_max"] == 2
    assert counted["activation._target_"] is None
    assert counted["optimizer.betas"] == [0.9, 0.999]
    uncounted = {"logger", "callbacks", "output_dir", "study", "headline", "data_dir"}
    assert not {key.split(".")[0] for key in counted} & uncounted


@pytest.mark.parametrize(
    ("overrides", "length"),
    [
        ([], {"trainer.max_epochs": 10}),
        (["trainer.max_epochs=3", "+trainer.max_steps=50"], {"trainer.max_epochs": 3, "trainer.max_steps": 50}),
        (["schedule=cosine"], {"trainer.max_epochs": 10, "schedule.T_max": 10}),
        (["schedule=cosine", "schedule.T_max=10"], {"trainer.max_epochs": 10}),
        (["study=of_${trainer.max_epochs}"], {"trainer.max_epochs": 10}),
    ],
    ids=str,
)
def test_the_length_of_a_run_is_what_says_it_and_what_follows_it(compose_run, overrides, length):
    cfg, _ = compose_run(*overrides)
    values = identity.whole(cfg)
    shared = identity.begins_alike(values, identity.counted(values, has_batch_norm=True))
    assert identity.length(cfg, shared) == length


def test_runs_begin_alike_if_they_write_the_same_curves_too(compose_run):
    def shared(*overrides):
        values = identity.whole(compose_run(*overrides)[0])
        return identity.begins_alike(values, identity.counted(values, has_batch_norm=True))

    assert shared("threads=1", "output_dir=elsewhere") == shared()
    for override in ("callbacks.pictures=null", "callbacks.gradient_norms.every_n_steps=2", "logger=none", "seed=1"):
        assert shared(override) != shared()


@pytest.mark.parametrize(
    ("value", "follows"),
    [
        ("${seed}", True),
        ("run ${width} of ${seed}", True),
        ("${data.${which}}", True),
        ("${oc.env:HOME,${seed}}", True),
        ("${oc.select:seed}", True),
        (["${seed}"], True),
        ("${data.split_seed}", False),
        ("${data.name}_${oc.env:HOME}", False),
        ("seed", False),
    ],
    ids=str,
)
def test_what_may_follow_the_seed_is_told_from_what_cannot(value, follows):
    assert identity.may_follow_seed(OmegaConf.create({"seed": 1, "data": {"of": value}})) is follows
