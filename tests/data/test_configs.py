"""Every option of the group `data` composes and builds."""

from pathlib import Path

import hydra
import hydra.errors
import numpy as np
import pytest
from omegaconf import OmegaConf

from gradflow.errors import ConfigError

CONF = Path(__file__).parents[2] / "conf" / "data"
OPTIONS = sorted(file.stem for file in CONF.glob("*.yaml"))
SIZES = {
    "digits": (1197, 300, 300),
    "circles": (640, 160, 200),
    "moons": (640, 160, 200),
    "diabetes": (266, 88, 88),
    "npz": (45, 5, 10),
}


def build(option, *overrides):
    """Compose the option as a config of its own and build it as gradflow.training.build does."""
    with hydra.initialize_config_dir(str(CONF.parent), version_base="1.3"):
        config = hydra.compose(f"data/{option}", overrides=["+data_dir=unused", *overrides]).data
    return hydra.utils.instantiate({key: config[key] for key in config if key != "name"}, _convert_="all", seed=0)


def write_npz(file):
    x, y = np.zeros((50, 8, 8, 3), np.uint8), np.arange(50) % 4
    np.savez(file, x_train=x, y_train=y, x_test=x[:10], y_test=y[:10])
    return str(file)


def test_the_options_are_the_documented_ones():
    downloaded, own = ["cifar10", "fashion_mnist", "mnist", "torchvision"], ["custom", "folder", "npz"]
    assert sorted([*downloaded, *own, "circles", "diabetes", "digits", "moons"]) == OPTIONS


@pytest.mark.parametrize("option", [option for option in OPTIONS if option != "custom"])
def test_every_option_builds_without_reading_data_and_bears_its_name(option):
    build(option)
    assert OmegaConf.load(CONF / f"{option}.yaml").name == (None if option == "torchvision" else option)


@pytest.mark.parametrize(("option", "sizes"), SIZES.items())
def test_options_without_download_give_batches(option, sizes, tmp_path):
    data = build(option, *([f"data.path='{write_npz(tmp_path / 'own.npz')}'"] if option == "npz" else []))
    assert data.sizes == sizes
    data.setup()
    x, y = next(iter(data.train_dataloader()))
    assert x.shape[1:] == data.input_shape
    assert len(x) == len(y) == min(data.batch_size, sizes[0])


def test_a_wrong_value_reaches_the_builder_as_the_cause_of_hydras_error():
    with pytest.raises(hydra.errors.InstantiationException) as caught:
        build("digits", "data.batch_size=0")
    assert isinstance(caught.value.__cause__, ConfigError)
    assert str(caught.value.__cause__).startswith("data.batch_size=0: ")
    with pytest.raises(ConfigError, match=r"data\.path=null: .*data\.path=FILE\.npz"):
        _ = build("npz").arrays


def test_split_seed_moves_the_points_of_generated_data_too():
    assert not np.array_equal(build("moons").arrays.x, build("moons", "data.split_seed=1").arrays.x)
    assert np.array_equal(build("moons").arrays.x, build("moons", "data.batch_size=5").arrays.x)
