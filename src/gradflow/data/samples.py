"""Map-style data sets, which give one sample at a time, as arrays that hold all samples."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

from gradflow.data.archive import memory
from gradflow.data.own_arrays import Fault, key_of

PLAIN_MODES = ("L", "RGB", "RGBA")  # of images whose values are 8-bit pixels as they stand
TO_PLAIN = {"1": "L", "LA": "L", "P": "RGB", "PA": "RGBA", "CMYK": "RGB", "YCbCr": "RGB", "HSV": "RGB", "La": "L"}


def of_datasets(parts: Mapping[str, Any], *, size: tuple[int, int] | None = None) -> tuple[dict[str, np.ndarray], bool]:
    """The arrays of data sets whose samples are pairs (x, y); each sample is read once.

    Args:
        parts: data sets by part, `train` and `test`, perhaps `val`; or `all`.
        size: height and width to which images are resized; None: they stay as they are.

    Returns:
        The arrays, by the names that `own_arrays.checked` takes, and whether x came in tensors.

    Raises:
        Fault: naming the sample that cannot be read, or differs from the first one in shape or type.
    """
    found: dict[str, np.ndarray] = {}
    is_tensor = False
    used = 0
    for part, dataset in parts.items():
        first, _ = _sample(dataset, 0, part)
        is_tensor = is_tensor or isinstance(first, Tensor)
        used += len(dataset) * as_array(first, size).nbytes
        check_memory(used)
        found[key_of("x", part)], found[key_of("y", part)] = _stacked(dataset, part, size)
    return found, is_tensor


def check_memory(size: float) -> None:
    """Refuse samples of so many bytes that this machine cannot hold them.

    Raises:
        Fault: with the remedy.
    """
    if size > memory():
        raise Fault(
            f"the samples need {size / 1e9:,.0f} GB, and this machine has {memory() / 1e9:,.0f} GB of memory; use "
            "fewer or smaller ones, e.g. with data.size=64 where there is this option"
        )


def as_array(value: Any, size: tuple[int, int] | None = None) -> np.ndarray:
    """A sample as an array: an image as (H, W) or (H, W, C) in uint8, resized if a size is given.

    Raises:
        Fault: if there is a size, and the sample is no image.
    """
    if isinstance(value, Image.Image):
        return np.asarray(plain(value) if size is None else resized(plain(value), size))
    if size is not None:
        raise Fault(f"the samples are {type(value).__name__}, not images; leave data.size out")
    return value.numpy(force=True) if isinstance(value, Tensor) else np.asarray(value)


def plain(image: Image.Image) -> Image.Image:
    """An image whose values are 8-bit pixels: grey, colour, or colour with transparency.

    Raises:
        Fault: if it has more bits, which would be lost.
    """
    if image.mode in PLAIN_MODES:
        return image
    if image.mode not in TO_PLAIN:
        raise Fault(f"an image of mode {image.mode} has no 8-bit pixels; convert it, or use floats with data=npz")
    return image.convert(TO_PLAIN[image.mode])


def resized(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """An image of this height and width, by bilinear interpolation with antialiasing; its aspect ratio is not kept."""
    height, width = size
    return image if image.size == (width, height) else image.resize((width, height), Image.Resampling.BILINEAR)


def _stacked(dataset: Any, part: str, size: tuple[int, int] | None) -> tuple[np.ndarray, np.ndarray]:
    pairs = (_sample(dataset, i, part) for i in range(len(dataset)))
    first: np.ndarray | None = None
    targets = []
    for i, (value, target) in enumerate(pairs):
        x = as_array(value, size)
        if first is None:
            first, whole = x, np.empty((len(dataset), *x.shape), x.dtype)
        if x.shape != first.shape or x.dtype != first.dtype:
            raise Fault(
                f"sample {i}{_of(part)} is {x.dtype} {x.shape}, and sample 0 {first.dtype} {first.shape}; give all the "
                "same shape and type, e.g. with data.size=64 where there is this option, or a transform"
            )
        whole[i] = x
        targets.append(as_array(target))
    if len({one.shape for one in targets}) > 1:
        raise Fault(f"the targets{_of(part)} differ in shape; give every sample as many")
    return whole, np.stack(targets)


def _sample(dataset: Any, number: int, part: str) -> tuple[Any, Any]:
    if not len(dataset):
        raise Fault(f"there is no sample{_of(part)}; check where the data are read from")
    try:
        sample = dataset[number]
    except Exception as error:
        raise Fault(f"sample {number}{_of(part)} cannot be read ({type(error).__name__}: {error})") from error
    if not isinstance(sample, Sequence) or len(sample) != 2:
        raise Fault(f"sample {number}{_of(part)} is a {type(sample).__name__}; return a pair (x, y)")
    return sample[0], sample[1]


def _of(part: str) -> str:
    return "" if part == "all" else f" of part {part}"
