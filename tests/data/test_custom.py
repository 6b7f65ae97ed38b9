"""Data by code of the user's own: functions and Dataset classes."""

import numpy as np
import pytest
import torch
from torch.utils.data import TensorDataset

from gradflow.data.arrays import Arrays
from gradflow.data.custom import custom, is_source
from gradflow.data.sources import digits
from gradflow.errors import ConfigError

X, Y = np.arange(36.0).reshape(9, 4), np.arange(9) % 3


@pytest.fixture
def returned(monkeypatch):
    """`returned(value, ...)`: the data of a function that returns this value."""

    def load(value, **options):
        monkeypatch.setattr("own_data.returning", lambda: value, raising=False)
        return custom(target="own_data.returning", **options)

    return load


@pytest.mark.parametrize(
    ("value", "counts"),
    [
        ((X, Y), (0, 0)),
        ((X[:6], Y[:6], X[6:], Y[6:]), (0, 3)),
        ((X[:3], Y[:3], X[3:6], Y[3:6], X[6:], Y[6:]), (3, 3)),
        ({"x": X, "y": Y}, (0, 0)),
        ({"x_test": X[6:], "y_test": Y[6:], "x_train": X[:6], "y_train": Y[:6]}, (0, 3)),
        ((X.tolist(), Y.tolist()), (0, 0)),
        ((torch.tensor(X), torch.tensor(Y)), (0, 0)),
        (TensorDataset(torch.tensor(X), torch.tensor(Y)), (0, 0)),
        ([TensorDataset(torch.tensor(X[part]), torch.tensor(Y[part])) for part in (slice(6), slice(6, 9))], (0, 3)),
    ],
)
def test_what_a_function_may_return(returned, value, counts):
    data = returned(value)
    assert (data.x.dtype, data.x.tolist(), data.y.tolist()) == (np.float32, X.tolist(), Y.tolist())
    assert (data.num_validation, data.num_test, data.task, data.pixel_max) == (*counts, "classification", None)


def test_arrays_of_gradflow_stay_as_they_are(returned):
    made = Arrays(X.astype(np.float32), Y, "classification", None, classes=("a", "b", "c"))
    assert returned(made) is made
    with pytest.raises(ConfigError, match=r"^data\.task=regression: the Arrays say classification; leave"):
        returned(made, task="regression")


def test_a_dataset_class_with_train_gives_both_parts_and_tensors_have_their_channels_first():
    data = custom(target="own_data.Spectra", samples=12)
    assert (data.x.shape, data.x.dtype, data.num_test, data.pixel_max) == ((24, 13, 4, 6), np.uint8, 12, 255)
    assert not np.array_equal(data.x[:12], data.x[12:])
    one = custom(target="own_data.Spectra", samples=12, train=True)
    assert (len(one.x), one.num_test) == (12, 0)


BAD = {
    "a number": (3, "it returns int; return"),
    "three arrays": ((X, Y, X), "it returns tuple; return"),
    "other names": ({"x": X, "labels": Y}, "it returns x, labels; return"),
    "words": ((X, ["a"] * 9), r"y holds <U1, not numbers; store it as integers"),
    "labels from 1": ((X, Y + 1), "the training labels are 1 to 3; number the classes from 0"),
    "not a number": ((X * np.nan, Y), "x holds values that are not finite in float32; remove"),
    "lengths": ((X, Y[:5]), "x has 9 samples and y 5; make them the same length"),
    "five dimensions": ((np.zeros((9, 2, 2, 2, 2)), Y), r"x has shape \(9, 2, 2, 2, 2\); images are"),
    "no samples": (TensorDataset(torch.zeros(0, 2), torch.zeros(0)), "there is no sample; check where"),
    "single values": (TensorDataset(torch.zeros(3, 2)), r"sample 0 is a tuple; return a pair \(x, y\)"),
}


@pytest.mark.parametrize(("value", "message"), BAD.values(), ids=BAD.keys())
def test_what_is_no_data_set_is_one_line(returned, value, message):
    with pytest.raises(ConfigError, match=message) as caught:
        returned(value)
    assert str(caught.value).startswith("data._target_=own_data.returning: ")
    assert "\n" not in str(caught.value)


def test_samples_of_several_shapes_and_code_that_raises_are_named(returned):
    class Uneven(TensorDataset):
        def __getitem__(self, number):
            if number == 2:
                raise OSError("disk\non fire")
            return torch.zeros(1, 4, 4 + number), 0

    uneven = Uneven(torch.zeros(5))
    with pytest.raises(
        ConfigError, match=r"sample 1 is float32 \(1, 4, 5\), and sample 0 float32 \(1, 4, 4\); give all"
    ):
        returned(uneven)
    uneven.__class__.__getitem__ = lambda self, number: (_ for _ in ()).throw(OSError("disk\non fire"))
    with pytest.raises(ConfigError, match="sample 0 cannot be read \\(OSError: disk on fire\\)"):
        returned(uneven)
    with pytest.raises(ConfigError, match=r"^data\._target_=own_data\.plane: fails \(TypeError: .*check its code"):
        custom(target="own_data.plane", colour=3)


def test_more_than_the_memory_is_refused_before_it_is_read(returned, monkeypatch):
    monkeypatch.setattr("gradflow.data.samples.memory", lambda: 1000.0)
    with pytest.raises(ConfigError, match=r"the samples need 0 GB, and this machine has 0 GB of memory; use fewer"):
        returned(TensorDataset(torch.zeros(300, 2), torch.zeros(300)))


def test_a_data_module_is_no_source():
    assert is_source("own_data.plane")
    assert is_source("own_data.Spectra")
    for other in ("gradflow.data.datamodule.ArrayDataModule", "lightning.LightningDataModule", "no.such", None):
        assert not is_source(other)
    assert digits().classes == ()
