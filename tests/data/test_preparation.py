"""How samples become inputs, with and without the data set."""

import numpy as np
import pytest
import torch

from gradflow.data.arrays import Arrays
from gradflow.data.datamodule import ArrayDataModule
from gradflow.data.preparation import stored_preparation
from gradflow.data.sources import diabetes, digits, moons
from gradflow.errors import ConfigError

PIXELS = {"batch_size": 32, "test_size": 300, "validation_size": 300, "pixel_range": [-1.0, 1.0]}
TABLE = {"batch_size": 8, "test_size": 88, "validation_size": 88}
POINTS = {"batch_size": 8, "test_size": 10, "validation_size": 10, "samples": 50, "noise": 0.1, "sample_seed": 0}
AS_THEY_ARE = {**TABLE, "standardize": False}
MODULES = [(digits, PIXELS), (diabetes, TABLE), (diabetes, AS_THEY_ARE), (moons, POINTS)]


def stored(data, tmp_path):
    """What a checkpoint gives back: no pickles, nothing but tensors and plain values."""
    torch.save({"epoch": 3, "AnyName": data.state_dict()}, tmp_path / "checkpoint")
    return stored_preparation(torch.load(tmp_path / "checkpoint", weights_only=True))


@pytest.mark.parametrize(("source", "options"), MODULES)
def test_samples_become_the_very_batches_of_the_run(tmp_path, source, options):
    data = ArrayDataModule(source, **options)
    data.setup()
    batches, rows = torch.cat([x for x, _ in data.test_dataloader()]), data.split.test
    known = stored(data, tmp_path)
    assert torch.equal(known.inputs(data.arrays.x[rows]), batches)
    assert torch.equal(known.inputs(torch.from_numpy(data.arrays.x[rows])), batches)
    assert (known.task, known.input_shape, known.num_outputs) == (data.task, data.input_shape, data.num_outputs)
    assert (known.target_scale, known.target_ends) == (data.target_scale, data.target_ends)


def test_targets_become_those_of_the_run(tmp_path):
    data = ArrayDataModule(diabetes, **TABLE)
    data.setup()
    y = torch.cat([y for _, y in data.test_dataloader()])
    assert stored(data, tmp_path).targets(data.arrays.y[data.split.test]).tolist() == y.tolist()


def test_the_samples_are_left_as_they_are(tmp_path):
    x = np.full((2, 1, 8, 8), 16, np.uint8)
    known = stored(ArrayDataModule(digits, **PIXELS), tmp_path)
    assert known.inputs(x).unique().tolist() == [1.0]
    assert (x == 16).all()


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((1, 8, 8), np.uint8), r"^x has shape \(1, 8, 8\); .* shape \(N, 1, 8, 8\)$"),
        (np.zeros((2, 1, 9, 8), np.uint8), r"^x has shape \(2, 1, 9, 8\); .* shape \(N, 1, 8, 8\)$"),
        (np.uint8(3), r"^x has shape \(\); "),
        (np.zeros((2, 1, 8, 8), np.float32), r"^x holds torch\.float32; .* torch\.uint8 from 0 to 16, and scales them"),
        (np.full((2, 1, 8, 8), 255, np.uint8), r"^x reaches 255; a white pixel .* is 16$"),
    ],
)
def test_what_cannot_be_pixels_of_the_data_set_is_refused(tmp_path, x, message):
    known = stored(ArrayDataModule(digits, **PIXELS), tmp_path)
    with pytest.raises(ConfigError, match=message):
        known.inputs(x)


def test_tables_take_numbers_of_any_type_and_float_images_only_floats(tmp_path):
    known = stored(ArrayDataModule(diabetes, **TABLE), tmp_path)
    whole = diabetes().x.round()
    assert torch.equal(known.inputs(whole.astype(np.int64)), known.inputs(whole))
    images = Arrays(np.zeros((9, 1, 4, 4), np.float32), np.arange(9) % 2, "classification", None, 2)
    known = stored(ArrayDataModule(lambda: images, batch_size=2, validation_size=2), tmp_path)
    with pytest.raises(ConfigError, match=r"^x holds torch\.uint8; this network takes floats"):
        known.inputs(np.zeros((2, 1, 4, 4), np.uint8))


def test_a_checkpoint_of_before_says_nothing():
    assert stored_preparation({"epoch": 3, "callbacks": {}, "state_dict": {"preparation_of": torch.zeros(1)}}) is None
