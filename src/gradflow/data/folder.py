"""Images in a folder a class, as torchvision's ImageFolder reads them, perhaps in subfolders train, val and test.

Every fault is a ConfigError that names the folder or the file, and the remedy.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
from PIL import Image
from torchvision.datasets.folder import IMG_EXTENSIONS

from gradflow.data.arrays import Arrays
from gradflow.data.own_arrays import PIXEL_MAX, Fault
from gradflow.data.samples import check_memory, plain, resized
from gradflow.errors import ConfigError, shown

TRAIN, TEST = "train", "test"
VALIDATION = ("val", "valid", "validation")
MODES = {1: "L", 3: "RGB", 4: "RGBA"}  # number of channels -> Pillow's name


@dataclass(frozen=True)
class Files:
    """The images of a folder.

    Attributes:
        classes: their names, in the order of their numbers.
        images: file, class number and time of the last change, part after part: training, validation, test.
        num_validation: how many images are in the validation set of the folder.
        num_test: how many are in its test set.
    """

    classes: tuple[str, ...]
    images: tuple[tuple[Path, int, int], ...]
    num_validation: int
    num_test: int


def find(path: str) -> Files:
    """The images below a folder, without reading them.

    Args:
        path: a folder with a subfolder a class; or with `train` and `test`, perhaps `val`, that have these.
            `val` without `test` is the test set.

    Raises:
        ConfigError: if there is no such folder, or it is not made like that.
    """
    try:
        root = Path(path).expanduser()
        is_there = root.is_dir()
    except (OSError, RuntimeError, ValueError) as error:
        _refuse(path, f"no path of a folder ({error}); give the path of a folder")
    if not is_there:
        _refuse(path, "there is no such folder; give the path of a folder that has a folder a class")
    inside = {folder.name: folder for folder in _folders(root)}
    validation = [inside[name] for name in VALIDATION if name in inside]
    if TRAIN not in inside:
        return _files(path, [root], num_validation=0, num_test=0)
    if len(validation) > 1:
        _refuse(path, f"it has {validation[0].name} and {validation[1].name}; keep one of them")
    if TEST not in inside and not validation:
        _refuse(path, "it has train, but neither val nor test; add one, or put the classes straight into it")
    if others := [name for name in inside if name not in (TRAIN, TEST, *VALIDATION)]:
        _refuse(path, f"besides train it has {shown(others[0])}, which is no part; use train, val and test alone")
    held_out = [*validation, inside[TEST]] if TEST in inside else validation
    return _files(path, [inside[TRAIN], *held_out], num_validation=len(held_out) - 1, num_test=1)


def read(path: str, files: Files, *, size: tuple[int, int] | None, channels: int | None) -> Arrays:
    """The images as an array.

    Args:
        path: the folder, for messages.
        files: as found there.
        size: height and width to which the images are resized, in pixels; None: they have one size.
        channels: 1 (grey), 3 (colour) or 4 (with transparency); None: 1 if all images are grey, else 3.

    Raises:
        ConfigError: if an image cannot be read, or they differ in size.
    """
    if channels not in (None, *MODES):
        raise ConfigError(f"data.channels={channels}: choose one of {', '.join(map(str, MODES))}")
    height, width, grey = _header(path, files, size)
    channels = channels or (1 if grey else 3)
    try:
        check_memory(len(files.images) * channels * height * width)
    except Fault as fault:
        _refuse(path, str(fault))
    x = np.empty((len(files.images), channels, height, width), np.uint8)
    for row, (file, _, _) in zip(x, files.images, strict=True):
        pixels = _pixels(path, file, channels, (height, width))
        row[:] = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
    y = np.array([label for _, label, _ in files.images])
    counts = {"num_test": files.num_test, "num_validation": files.num_validation}
    return Arrays(x, y, "classification", PIXEL_MAX, classes=files.classes, **counts)


def _refuse(path: str, reason: str) -> NoReturn:
    raise ConfigError(f"data.path={path}: {reason}")


def _folders(root: Path) -> list[Path]:
    return sorted(one for one in root.iterdir() if one.is_dir() and not one.name.startswith((".", "__")))


def _files(path: str, parts: Sequence[Path], *, num_validation: int, num_test: int) -> Files:
    """The images of training, validation and test folder; how many of each are meant, the flags say."""
    classes = tuple(folder.name for folder in _folders(parts[0]))
    if len(classes) < 2:
        found = f"only {shown(classes[0])}" if classes else "no folder"
        _refuse(path, f"{parts[0]} needs a folder a class, at least two, and has {found}")
    images: list[tuple[Path, int, int]] = []
    counts = []
    for part in parts:
        before = len(images)
        for folder in _folders(part):
            if folder.name not in classes:
                _refuse(path, f"{folder} is no class of {parts[0]}; add its images there, or remove it")
            images += _images(path, folder, classes.index(folder.name))
        counts.append(len(images) - before)
        if not counts[-1]:
            _refuse(path, f"{part} has no folder of a class; add the images")
    tests = counts[-1] if num_test else 0
    return Files(classes, tuple(images), counts[1] if num_validation else 0, tests)


def _images(path: str, folder: Path, label: int) -> list[tuple[Path, int, int]]:
    """By name, those in folders below too."""
    names = sorted(Path(top, name) for top, _, inside in os.walk(folder, followlinks=True) for name in inside)
    found = [(file, label, file.stat().st_mtime_ns) for file in names if file.suffix.lower() in IMG_EXTENSIONS]
    if not found:
        _refuse(path, f"{folder} has no image ({', '.join(IMG_EXTENSIONS)}); add some, or remove the folder")
    return found


def _header(path: str, files: Files, size: tuple[int, int] | None) -> tuple[int, int, bool]:
    """Height, width, and whether all images are grey: by the beginnings of the files."""
    first: tuple[int, int] | None = None
    grey = True
    for file, _, _ in files.images:
        try:
            with Image.open(file) as image:
                width, height = image.size
                grey = grey and image.mode in ("1", "L", "LA", "La")
        except Exception as error:  # Pillow's decoders raise anything for damaged files
            _unreadable(path, file, error)
        first = first or (height, width)
        if size is None and (height, width) != first:
            _refuse(
                path,
                f"{file} has {height} x {width} pixels, and {files.images[0][0]} {first[0]} x {first[1]}; give the "
                "size to which all are resized, e.g. data.size=64 or data.size=[48,64]",
            )
    assert first is not None
    height, width = size or first
    return height, width, grey


def _pixels(path: str, file: Path, channels: int, size: tuple[int, int]) -> np.ndarray:
    try:
        with Image.open(file) as image:
            return np.asarray(resized(plain(image).convert(MODES[channels]), size))
    except Fault as fault:
        _refuse(path, f"{file}: {fault}")
    except Exception as error:
        _unreadable(path, file, error)


def _unreadable(path: str, file: Path, error: Exception) -> NoReturn:
    reason = " ".join(str(error).split()) or type(error).__name__
    _refuse(path, f"{file} cannot be read as an image ({shown(reason)}); replace or remove it")
