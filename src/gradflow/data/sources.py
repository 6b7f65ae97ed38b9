"""One function per data set. Each is cached, so that the runs of a sweep share one copy in memory."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from gradflow.data import folder as image_folder
from gradflow.data import npz as npz_file
from gradflow.data import torchvision_sets
from gradflow.data.arrays import Arrays
from gradflow.data.download import torchvision_dataset
from gradflow.data.split import sklearn_seed
from gradflow.errors import ConfigError, check_whole, is_finite

CACHED = 4  # data sets of one kind kept in memory; typed, because 1000.0 must not pass for the 1000 that was checked

_IDX_FILES = tuple(f"{part}-{kind}-ubyte" for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1"))


@lru_cache(maxsize=CACHED, typed=True)
def digits() -> Arrays:
    """1,797 handwritten digits, 8x8 pixels of 0..16, included in scikit-learn.

    Source: Alpaydin and Kaynak 1998, UCI Optical Recognition of Handwritten Digits (its test part).
    """
    from sklearn.datasets import load_digits  # other data sets need not wait for scikit-learn

    data = load_digits()
    return Arrays(data.images[:, None].astype(np.uint8), data.target.astype(np.int64), "classification", pixel_max=16)


@lru_cache(maxsize=CACHED, typed=True)
def mnist(data_dir: str) -> Arrays:
    """60,000 + 10,000 handwritten digits, 1x28x28 pixels. Source: LeCun et al. 1998.

    Args:
        data_dir: folder that holds MNIST/raw; downloaded on first use (12 MB).
    """
    return _images(*torchvision_dataset("MNIST", data_dir, option="mnist", folder="MNIST/raw", files=_IDX_FILES))


@lru_cache(maxsize=CACHED, typed=True)
def fashion_mnist(data_dir: str) -> Arrays:
    """60,000 + 10,000 pictures of clothes, 1x28x28 pixels. Source: Xiao et al. 2017, arXiv:1708.07747.

    Args:
        data_dir: folder that holds FashionMNIST/raw; downloaded on first use (31 MB).
    """
    folder = "FashionMNIST/raw"
    return _images(
        *torchvision_dataset("FashionMNIST", data_dir, option="fashion_mnist", folder=folder, files=_IDX_FILES)
    )


@lru_cache(maxsize=CACHED, typed=True)
def cifar10(data_dir: str) -> Arrays:
    """50,000 + 10,000 colour photographs of ten classes, 3x32x32 pixels. Source: Krizhevsky 2009.

    Args:
        data_dir: folder that holds cifar-10-batches-py; downloaded on first use (170 MB).
    """
    files = ("cifar-10-python.tar.gz",)
    return _images(*torchvision_dataset("CIFAR10", data_dir, option="cifar10", folder="", files=files))


def _images(train: Any, test: Any) -> Arrays:
    """Torchvision's two parts as one: `data` is (N, H, W) or (N, H, W, C) in uint8, `targets` has the class numbers."""
    x = np.concatenate([np.asarray(part.data) for part in (train, test)])
    x = x[:, None] if x.ndim == 3 else np.ascontiguousarray(x.transpose(0, 3, 1, 2))
    y = np.concatenate([np.asarray(part.targets, dtype=np.int64) for part in (train, test)])
    return Arrays(x, y, "classification", pixel_max=255, num_test=len(test.data))


def torchvision(
    data_dir: str, dataset: str | None, split: str | None = None, size: int | Sequence[int] | None = None
) -> Arrays:
    """A classification data set of torchvision: see `gradflow.data.torchvision_sets`.

    Args:
        data_dir: torchvision's root folder; downloaded on first use.
        dataset: the class in `torchvision.datasets`, e.g. SVHN.
        split: of EMNIST: balanced, byclass, bymerge, digits, letters or mnist.
        size: a number of pixels or (height, width) to which images are resized; None: they have one size.
    """
    torchvision_sets.check_names(dataset, split)
    return _torchvision(data_dir, str(dataset), split, _sides(size))


@lru_cache(maxsize=1, typed=True)
def _torchvision(data_dir: str, dataset: str, split: str | None, size: tuple[int, int] | None) -> Arrays:
    return torchvision_sets.load(data_dir, dataset, split=split, size=size)


def folder(path: str | None, size: int | Sequence[int] | None = None, channels: int | None = None) -> Arrays:
    """Images in a folder a class: see `gradflow.data.folder`. A folder that has changed is read again.

    Args:
        path: the folder.
        size: a number of pixels or (height, width) to which images are resized; None: they have one size.
        channels: 1 (grey), 3 (colour) or 4 (with transparency); None: 1 if all images are grey, else 3.

    Raises:
        ConfigError: if the folder is not a usable data set.
    """
    if path is None:
        raise ConfigError("data.path=null: data=folder needs a folder, e.g. data.path=FOLDER")
    return _folder(str(path), image_folder.find(str(path)), _sides(size), channels)


@lru_cache(maxsize=1, typed=True)
def _folder(path: str, files: image_folder.Files, size: tuple[int, int] | None, channels: int | None) -> Arrays:
    return image_folder.read(path, files, size=size, channels=channels)


def _sides(size: int | Sequence[int] | None) -> tuple[int, int] | None:
    """Height and width."""
    if size is None:
        return None
    height, width = (size, size) if isinstance(size, int) else size
    return height, width


def npz(path: str | None, task: str = "classification", layout: str | None = None) -> Arrays:
    """Your own arrays: see `gradflow.data.npz.load`. A file that has changed is read again.

    Args:
        path: the .npz file.
        task: classification, binary, regression or multilabel.
        layout: which axis of images has the channels, NHWC or NCHW; None: as their shape tells.

    Raises:
        ConfigError: if the file is not a usable data set.
    """
    if path is None:
        raise ConfigError("data.path=null: data=npz needs a file, e.g. data.path=FILE.npz")
    file = npz_file.find(str(path))
    return _npz(str(file), task, layout, file.stat().st_mtime_ns)


@lru_cache(maxsize=CACHED, typed=True)
def _npz(path: str, task: str, layout: str | None, _modified_ns: int) -> Arrays:
    return npz_file.load(path, task=task, layout=layout)


@lru_cache(maxsize=CACHED, typed=True)
def circles(*, samples: int, noise: float, factor: float, sample_seed: int) -> Arrays:
    """Two concentric circles in the plane, binary.

    Args:
        samples: number of points, at least 10, half on each circle.
        noise: standard deviation of the Gaussian added to both coordinates, in radii of the outer circle, at least 0.
        factor: radius of the inner circle in radii of the outer one, in [0, 1).
        sample_seed: seed of the points.

    Source: scikit-learn, `make_circles`.
    """
    from sklearn.datasets import make_circles

    _check_points(samples, noise, sample_seed)
    if not is_finite(factor) or not 0 <= factor < 1:
        raise ConfigError(f"data.factor={factor}: needs a radius of at least 0 and below 1, e.g. data.factor=0.5")
    seed = sklearn_seed(sample_seed, purpose="samples")
    x, y = make_circles(samples, noise=noise, factor=factor, random_state=seed)
    return Arrays(x.astype(np.float32), y.astype(np.int64), "binary", pixel_max=None)


@lru_cache(maxsize=CACHED, typed=True)
def moons(*, samples: int, noise: float, sample_seed: int) -> Arrays:
    """Two interleaving half circles in the plane, binary.

    Args:
        samples: number of points, at least 10, half on each moon.
        noise: standard deviation of the Gaussian added to both coordinates, in radii of a moon, at least 0.
        sample_seed: seed of the points.

    Source: scikit-learn, `make_moons`.
    """
    from sklearn.datasets import make_moons

    _check_points(samples, noise, sample_seed)
    seed = sklearn_seed(sample_seed, purpose="samples")
    x, y = make_moons(samples, noise=noise, random_state=seed)
    return Arrays(x.astype(np.float32), y.astype(np.int64), "binary", pixel_max=None)


def _check_points(samples: int, noise: float, sample_seed: int) -> None:
    check_whole("data.samples", samples, at_least=10, example=1000)
    check_whole("data.sample_seed", sample_seed, at_least=0, example=0)
    if not is_finite(noise) or noise < 0:
        raise ConfigError(f"data.noise={noise}: needs a standard deviation of at least 0, e.g. data.noise=0.1")


@lru_cache(maxsize=CACHED, typed=True)
def diabetes() -> Arrays:
    """442 patients, 10 features in their own units, disease progression after one year (25..346), regression.

    Source: Efron et al. 2004, Least Angle Regression; included in scikit-learn.
    """
    from sklearn.datasets import load_diabetes

    x, y = load_diabetes(return_X_y=True, scaled=False)
    return Arrays(x.astype(np.float32), y.astype(np.float32), "regression", pixel_max=None)
