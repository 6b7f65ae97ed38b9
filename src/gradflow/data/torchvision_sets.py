"""The classification data sets of torchvision that have training and test images."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from gradflow.data.arrays import Arrays
from gradflow.data.download import torchvision_parts
from gradflow.data.own_arrays import PIXEL_MAX, Fault, checked
from gradflow.data.samples import of_datasets
from gradflow.errors import ConfigError, nearest, shown

_BY_FLAG: dict[str, dict[str, Any]] = {"train": {"train": True}, "test": {"train": False}}
_BY_NAME: dict[str, dict[str, Any]] = {"train": {"split": "train"}, "test": {"split": "test"}}
_WITH_VALIDATION = {part: {"split": part} for part in ("train", "val", "test")}
# Class of torchvision.datasets -> part -> the arguments that ask for it.
SETS: dict[str, dict[str, dict[str, Any]]] = {
    **dict.fromkeys(("CIFAR10", "CIFAR100", "EMNIST", "FashionMNIST", "KMNIST", "MNIST", "QMNIST", "USPS"), _BY_FLAG),
    **dict.fromkeys(("Food101", "GTSRB", "STL10", "SVHN"), _BY_NAME),
    **dict.fromkeys(("DTD", "FGVCAircraft", "Flowers102", "PCAM", "RenderedSST2"), _WITH_VALIDATION),
    "Country211": {**_WITH_VALIDATION, "val": {"split": "valid"}},
    "Imagenette": {"train": {"split": "train"}, "test": {"split": "val"}},
    "OxfordIIITPet": {"train": {"split": "trainval"}, "test": {"split": "test"}},
}
# Data set -> its variants, which its argument `split` chooses.
VARIANTS = {"EMNIST": ("balanced", "byclass", "bymerge", "digits", "letters", "mnist")}


def check_names(dataset: object, split: object) -> None:
    """Refuse names that are no data set, or no variant of it.

    Raises:
        ConfigError: naming the nearest ones.
    """
    if dataset not in SETS:
        same = [name for name in SETS if name.lower() == str(dataset).lower()]
        close = f"; did you mean {same[0]}?" if same else nearest(str(dataset), SETS)
        raise ConfigError(
            f"data.dataset={shown(dataset)}: no classification data set of torchvision with training and test "
            f"images{close} (data sets: {', '.join(sorted(SETS))})"
        )
    if dataset not in VARIANTS:
        if split is not None:
            raise ConfigError(f"data.split={shown(split)}: {dataset} has no variants; use data.split=null")
    elif split not in VARIANTS[str(dataset)]:
        known = VARIANTS[str(dataset)]
        raise ConfigError(
            f"data.split={shown(split)}: {dataset} has several{nearest(str(split), known)}; choose one of "
            f"{', '.join(known)}"
        )


def load(data_dir: str, dataset: str, *, split: str | None, size: tuple[int, int] | None) -> Arrays:
    """Every image, read once; classes that are not numbered from 0 are numbered anew, in their order.

    Args:
        data_dir: torchvision's root folder.
        dataset: one of `SETS`.
        split: one of its variants, if it has some.
        size: height and width to which images are resized; None: they have one size.

    Raises:
        ConfigError: if the names are wrong, there are no files and no download, or the images differ in size.
    """
    check_names(dataset, split)
    chosen = {} if split is None else {"split": split}
    asked: Mapping[str, dict[str, Any]] = {part: {**chosen, **asks} for part, asks in SETS[dataset].items()}
    option = f"torchvision data.dataset={dataset}"
    parts = torchvision_parts(dataset, data_dir, list(asked.values()), option=option, lock=dataset)
    try:
        found, _ = of_datasets(dict(zip(asked, parts, strict=True)), size=size)
        labels = np.unique(np.concatenate([y for name, y in found.items() if name.startswith("y")]))
        found |= {name: np.searchsorted(labels, y) for name, y in found.items() if name.startswith("y")}
        arrays = checked(found, task="classification", otherwise="NHWC")
    except Fault as fault:
        raise ConfigError(f"data.dataset={dataset}: {fault}") from fault
    assert arrays.pixel_max == PIXEL_MAX
    return arrays
