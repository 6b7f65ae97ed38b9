"""Training data: MNIST if it has been downloaded, otherwise noise in the same files; noise as photographs."""

import os
import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

MNIST_RAW = Path("MNIST/raw")  # below torchvision's root folder
MNIST_PARTS = {"train": 60_000, "t10k": 10_000}  # samples, by the start of the file names
IMAGES, LABELS = 2051, 2049  # magic numbers of the idx format
PHOTOS = (640, 128)  # training and validation samples: 5 to 1 as in CIFAR-10, in 5 steps of 128


def downloaded_mnist() -> Path | None:
    """The folder in which gradflow keeps MNIST, or None if it is not there."""
    root = Path(os.environ.get("GRADFLOW_DATA", "~/.cache/gradflow")).expanduser()
    files = [f"{part}-{kind}-ubyte" for part in MNIST_PARTS for kind in ("images-idx3", "labels-idx1")]
    return root if all((root / MNIST_RAW / file).is_file() for file in files) else None


@contextmanager
def mnist_folder() -> Iterator[tuple[Path, str]]:
    """A folder with MNIST in torchvision's layout, and a sentence about it for the caption."""
    found = downloaded_mnist()
    if found is not None:
        yield found, "MNIST: the real images."
        return
    with tempfile.TemporaryDirectory() as temporary:
        write_noise_mnist(Path(temporary))
        yield Path(temporary), "MNIST: not downloaded; random images of the same number and size instead."


def write_noise_mnist(root: Path) -> None:
    """Random images, as many and as large as MNIST's, in its files below `root`."""
    generator = np.random.default_rng(0)
    raw = root / MNIST_RAW
    raw.mkdir(parents=True)
    for part, samples in MNIST_PARTS.items():
        pixels = generator.integers(256, size=(samples, 28, 28), dtype=np.uint8)
        labels = generator.integers(10, size=samples, dtype=np.uint8)
        images = raw / f"{part}-images-idx3-ubyte"
        images.write_bytes(struct.pack(">IIII", IMAGES, samples, 28, 28) + pixels.tobytes())
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">II", LABELS, samples) + labels.tobytes())


def write_noise_photos(file: Path) -> None:
    """Random images in CIFAR-10's shape, as an .npz file for `data=npz`."""
    generator = np.random.default_rng(0)
    arrays = {}
    for part, samples in zip(("train", "test"), PHOTOS, strict=True):
        arrays[f"x_{part}"] = generator.integers(256, size=(samples, 32, 32, 3), dtype=np.uint8)
        arrays[f"y_{part}"] = generator.integers(10, size=samples)
    np.savez(file, **arrays)
