"""Every option of every group composes, has its file's name and builds; nothing is downloaded."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from own_images import image_folder

from gradflow import CONF
from gradflow.data import sources, torchvision_sets
from gradflow.data.arrays import Arrays
from gradflow.errors import ConfigError
from gradflow.sweep.checks import configuration, objects
from gradflow.training import build

GROUPS = sorted(folder.name for folder in CONF.iterdir() if folder.is_dir() and folder.name != "hydra")
NAMED = ("activation", "data", "init", "model", "optimizer", "schedule")


def options(group):
    return sorted(file.stem for file in (CONF / group).glob("*.yaml"))


def content(group, option):
    return yaml.safe_load((CONF / group / f"{option}.yaml").read_text())


def option_pairs(*groups):
    return [(group, option) for group in groups for option in options(group)]


def slow_but(group, *fast, leave_out):
    """The options of a group, all but a few of them marked as slow."""
    chosen = [option for option in options(group) if option != leave_out]
    return [pytest.param(option, marks=[] if option in fast else [pytest.mark.slow]) for option in chosen]


@pytest.fixture(scope="session")
def data_npz(tmp_path_factory):
    x, y = np.random.default_rng(0).integers(0, 256, (60, 8, 8), np.uint8), np.arange(60) % 3
    file = tmp_path_factory.mktemp("data") / "own.npz"
    np.savez(file, x_train=x, y_train=y, x_test=x[:20], y_test=y[:20])
    return file


@pytest.fixture
def no_download(monkeypatch):
    """Small stand-ins with the shapes of the data sets that would be downloaded."""

    def source(*shape):
        x = np.random.default_rng(0).integers(0, 256, (160, *shape), np.uint8)
        return lambda data_dir: Arrays(x, np.arange(160) % 10, "classification", pixel_max=255, num_test=40)

    monkeypatch.setattr(torchvision_sets, "load", lambda data_dir, dataset, **options: source(3, 32, 32)(data_dir))
    for name, shape in {"mnist": (1, 28, 28), "fashion_mnist": (1, 28, 28), "cifar10": (3, 32, 32)}.items():
        monkeypatch.setattr(sources, name, source(*shape))


def assert_builds(cfg):
    """Every part of a run can be built, and one update changes the weights."""
    configuration.check(cfg)
    data = build.data(cfg)
    objects.check_builds(cfg, data)
    data.setup()
    module = build.module(cfg, data)
    optimizer = module.configure_optimizers()
    if isinstance(optimizer, dict):
        optimizer, schedule = optimizer["optimizer"], optimizer["lr_scheduler"]["scheduler"]
        assert schedule.optimizer is optimizer
    x, y = next(iter(data.train_dataloader()))
    before = [p.detach().clone() for p in module.parameters()]
    outputs = module(x)
    assert outputs.shape == (len(x), data.num_outputs)
    loss = module.task.loss(outputs, y)
    assert math.isfinite(loss.item())
    loss.backward()
    optimizer.step()
    assert any(not torch.equal(old, new) for old, new in zip(before, module.parameters(), strict=True))
    return module


@pytest.mark.parametrize("name", ["mlp", "conv", "mine"])
def test_the_name_of_a_network_decides_nothing(compose, name):
    named = (f"model.name={name}", "width=[8,4]", "blocks=2")
    assert_builds(compose("model=mlp", *named))
    with pytest.raises(ConfigError, match=r"width=\[8, 4\]: ConvStack has one width for all blocks, e.g. width=64"):
        assert_builds(compose("model=conv", *named))


def test_the_groups_are_those_of_the_defaults_list():
    defaults = yaml.safe_load((CONF / "train.yaml").read_text())["defaults"]
    named = [
        group for entry in defaults if isinstance(entry, dict) for group in entry if not group.startswith("override")
    ]
    assert sorted(named) == GROUPS
    assert defaults[0] == "_self_"  # later, it would silently undo the presets


@pytest.mark.parametrize(("group", "option"), option_pairs(*NAMED))
def test_an_option_is_named_as_its_file_and_begins_with_a_comment(group, option):
    own = content(group, option)
    name = own[group]["name"] if group in own else own["name"]
    others = {("activation", "custom"): None, ("data", "torchvision"): "${.dataset}"}
    assert name == others.get((group, option), option)
    assert (CONF / group / f"{option}.yaml").read_text().startswith("#")


@pytest.mark.parametrize("option", slow_but("activation", "relu", "maxout", "prelu", leave_out="custom"))
def test_every_activation_builds_in_every_model(compose, option):
    cfg = compose(f"activation={option}", "blocks=2", "width=4", "data.batch_size=8")
    for model in options("model"):
        own = content("model", model)
        if "model" in own:  # brings its own blocks and width
            cfg.blocks, cfg.width, cfg.model = own["blocks"], own["width"], own["model"]
        else:
            cfg.model = own
        module = assert_builds(cfg)
        assert module.network.layers[-1].activation is None
        cfg.blocks, cfg.width = 2, 4


def test_somebodys_own_activation_builds(compose):
    cfg = compose("activation=custom", "activation._target_=own_activations.Bent", "+activation.bend=0.25", "width=4")
    module = assert_builds(cfg)
    assert module.network.layers[0].activation.bend == 0.25


@pytest.mark.parametrize(("group", "option"), option_pairs("init", "model", "optimizer", "schedule"))
def test_every_other_part_of_training_builds(compose, group, option):
    size = [] if option == "lenet5" else ["width=4"]
    assert_builds(compose(f"{group}={option}", "data.batch_size=8", *size))


@pytest.mark.parametrize("option", options("data"))
def test_every_data_set_builds(compose, no_download, data_npz, tmp_path, option):
    sizes = ["data.validation_size=40"] if content("data", option).get("validation_size") == 5000 else []
    own = {
        "npz": [f"data.path='{data_npz}'"],
        "folder": [f"data.path='{image_folder(tmp_path)}'"],
        "torchvision": ["data.dataset=CIFAR100"],
        "custom": ["data._target_=own_data.striped", "data.test_size=20", "+data.samples=80"],
    }.get(option, [])
    assert_builds(compose(f"data={option}", "model=mlp", "width=4", *sizes, *own))


@pytest.mark.parametrize("option", options("callbacks"))
def test_callbacks_build(compose, option):
    cfg = compose(f"callbacks={option}")
    configuration.check(cfg)
    first, *names = [type(callback).__name__ for callback in build.monitors(cfg)]
    assert first == "PreciseBatchNorm"  # it prepares the network that the others look at
    everything = ["GradientNorms", "UnitStatistics", "HealthWarnings", "Pictures"]
    own = "".join(word.title() for word in option.split("_"))
    assert names == {"default": everything, "none": [], "early_stopping": [*everything, own]}.get(option, [own])


def test_a_single_callback_is_switched_off(compose):
    cfg = compose("callbacks.gradient_norms=null")
    configuration.check(cfg)
    assert "GradientNorms" not in [type(callback).__name__ for callback in build.monitors(cfg)]


@pytest.mark.parametrize("option", [option for option in options("trainer") if option != "gpu"])
def test_trainers_build(compose, tmp_path, option):
    cfg = compose(f"trainer={option}")
    trainer = build.trainer(cfg, tmp_path, callbacks=[], loggers=[])
    assert trainer.max_epochs == 10
    assert trainer.logger is None
    assert trainer.num_devices == (2 if option == "ddp" else 1)
    assert option != "cpu" or trainer.strategy.root_device.type == "cpu"


def test_the_gpu_trainer_differs_from_the_others_in_its_accelerator_only(compose):
    assert {key: value for key, value in compose("trainer=gpu").trainer.items() if key != "accelerator"} == {
        key: value for key, value in compose("trainer=auto").trainer.items() if key != "accelerator"
    }


@pytest.mark.parametrize("option", options("logger"))
def test_loggers_build(compose, tmp_path, option):
    logger = build.logger(compose(f"logger={option}"), tmp_path)
    assert (logger is None) == (option == "none")
    assert logger is None or Path(logger.log_dir) == tmp_path


@pytest.mark.parametrize("option", slow_but("experiment", "digits_depth", "mnist_sgd", leave_out=""))
def test_presets_compose_and_build_at_both_ends_of_their_sweep(compose, compose_run, no_download, option):
    file = (CONF / "experiment" / f"{option}.yaml").read_text()
    assert re.search(rf"^# python train\.py experiment={option}( |$)", file, re.MULTILINE)
    params = sweep_of(option)
    cfg = compose(f"experiment={option}")
    assert cfg.study == option
    for end in (0, -1):
        chosen = [f"{key}={values[end]}" for key, values in params.items()]
        small = ["data.validation_size=40"] if cfg.data.validation_size == 5000 else []
        assert_builds(compose(f"experiment={option}", *chosen, *small))


@pytest.mark.slow
@pytest.mark.parametrize("option", options("experiment"))
def test_every_combination_of_a_preset_is_planned(command, no_download, monkeypatch, option, tmp_path):
    monkeypatch.setattr("gradflow.sweep.plan.unfinished", lambda runs: [])  # so that nothing is trained
    outcome = command(f"experiment={option}", "width=[2,2]" if option == "mnist_adam" else "trainer=cpu")
    assert outcome.status == 0, outcome
    expected = math.prod(len(values) for values in sweep_of(option).values())
    assert len(list(tmp_path.glob(f"outputs/{option}/*/seed=*/run.json"))) == expected


def sweep_of(option):
    """The axes of a preset's sweep, including those of the preset that it builds on."""
    own = content("experiment", option)
    params = {}
    for parent in own.get("defaults", []):
        params |= sweep_of(parent) if isinstance(parent, str) else {}
    params |= own.get("hydra", {}).get("sweeper", {}).get("params", {})
    return {key: values if isinstance(values, list) else _expanded(values) for key, values in params.items()}


def _expanded(text):
    if str(text).startswith("range("):
        return [str(i) for i in range(*map(int, text.removeprefix("range(").removesuffix(")").split(",")))]
    return str(text).split(",")
