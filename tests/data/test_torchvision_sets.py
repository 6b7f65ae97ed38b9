"""Torchvision's classification data sets by their names; nothing is downloaded."""

import inspect

import numpy as np
import pytest
import torchvision
from PIL import Image

from gradflow.data.sources import torchvision as source
from gradflow.data.torchvision_sets import SETS
from gradflow.errors import ConfigError


def stand_in(sizes, *, labels=lambda count: np.arange(count) % 3, shape=(8, 8, 3), calls=None):
    """A class like torchvision's, of random images; `sizes` maps what is asked for to a number of samples."""

    class Images:
        def __init__(self, root, *, download, **asked):
            if calls is not None:
                calls.append((asked, download))
            count = sizes[next(reversed(asked.values()))]
            self.x = np.random.default_rng(count).integers(0, 256, (count, *shape), np.uint8)
            self.y = labels(count)

        def __len__(self):
            return len(self.y)

        def __getitem__(self, number):
            return Image.fromarray(self.x[number]), int(self.y[number])

    return Images


@pytest.mark.parametrize("name", SETS)
def test_every_set_takes_the_arguments_by_which_its_parts_are_asked_for(name):
    own = getattr(torchvision.datasets, name)
    takes = {key for one in own.__mro__[:2] for key in inspect.signature(one).parameters}  # **kwargs go to the base
    assert takes >= {"root", "download", *(key for asked in SETS[name].values() for key in asked)}


def test_parts_come_in_the_order_of_the_table(monkeypatch, tmp_path):
    monkeypatch.setattr(torchvision.datasets, "SVHN", stand_in({"train": 9, "test": 6}))
    data = source(str(tmp_path), "SVHN")
    assert (data.x.shape, data.num_test, data.num_validation) == ((15, 3, 8, 8), 6, 0)
    expected = np.random.default_rng(6).integers(0, 256, (6, 8, 8, 3), np.uint8).transpose(0, 3, 1, 2)
    assert np.array_equal(data.x[9:], expected)
    assert data.y.tolist() == [0, 1, 2] * 5
    assert (data.pixel_max, data.task) == (255, "classification")


def test_a_validation_part_is_used_and_images_are_resized(monkeypatch, tmp_path):
    sizes = {"train": 9, "val": 3, "test": 6}
    monkeypatch.setattr(torchvision.datasets, "Flowers102", stand_in(sizes, shape=(8, 6, 3)))
    data = source(str(tmp_path), "Flowers102", size=[4, 5])
    assert (data.x.shape, data.num_test, data.num_validation) == ((18, 3, 4, 5), 6, 3)


def test_variants_of_emnist_and_classes_from_1(monkeypatch, tmp_path):
    calls = []
    grey = stand_in({True: 6, False: 3}, labels=lambda count: 1 + np.arange(count) % 3, shape=(8, 8), calls=calls)
    monkeypatch.setattr(torchvision.datasets, "EMNIST", grey)
    data = source(str(tmp_path), "EMNIST", split="letters")
    assert (data.x.shape, data.y.tolist()) == ((9, 1, 8, 8), [0, 1, 2] * 3)
    assert calls == [({"split": "letters", "train": True}, False), ({"split": "letters", "train": False}, False)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("KMINST",), r"data\.dataset=KMINST: .*; did you mean KMNIST, .* \(data sets: CIFAR10, .*, USPS\)"),
        (("svhn",), r"data\.dataset=svhn: .*; did you mean SVHN\?"),
        (("VOCDetection",), r"data\.dataset=VOCDetection: no classification data set of torchvision"),
        (("EMNIST",), r"data\.split=null: EMNIST has several; choose one of balanced, byclass"),
        (("EMNIST", "leters"), r"data\.split=leters: .*did you mean letters.*; choose one of"),
        (("KMNIST", "letters"), r"data\.split=letters: KMNIST has no variants; use data\.split=null"),
    ],
)
def test_a_wrong_name_is_answered_with_the_nearest(tmp_path, arguments, message):
    with pytest.raises(ConfigError, match=message):
        source(str(tmp_path), *arguments)


def test_images_of_several_sizes_need_one(monkeypatch, tmp_path):
    class Uneven(stand_in({"train": 4, "test": 4})):
        def __getitem__(self, number):
            image, label = super().__getitem__(number)
            return image.resize((8 + number, 8)), label

    monkeypatch.setattr(torchvision.datasets, "GTSRB", Uneven)
    with pytest.raises(
        ConfigError, match=r"^data\.dataset=GTSRB: sample 1 of part train is uint8 \(8, 9, 3\).*data\.size"
    ):
        source(str(tmp_path), "GTSRB")


def test_without_files_or_network_the_remedy_is_said(monkeypatch, tmp_path):
    def no_network(*_args, **_kwargs):
        raise OSError("no route\nto host")

    monkeypatch.setattr("urllib.request.urlopen", no_network)
    with pytest.raises(
        ConfigError, match=r"^data=torchvision data\.dataset=SVHN: cannot read or download .*data_dir=DIR$"
    ):
        source(str(tmp_path), "SVHN")
