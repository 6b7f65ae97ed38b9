"""Images in a folder a class."""

import numpy as np
import pytest
from own_images import image_folder, save
from PIL import Image
from torchvision.datasets import ImageFolder

from gradflow.data.datamodule import ArrayDataModule
from gradflow.data.sources import folder
from gradflow.errors import ConfigError


def test_images_are_those_of_torchvisions_image_folder(tmp_path):
    root = image_folder(tmp_path, parts=())
    ours, theirs = folder(str(root)), ImageFolder(root)
    assert ours.classes == tuple(theirs.classes) == ("ant", "bee")
    assert ours.y.tolist() == theirs.targets
    assert np.array_equal(ours.x, np.stack([np.asarray(image).transpose(2, 0, 1) for image, _ in theirs]))
    assert (ours.task, ours.pixel_max, ours.num_test, ours.num_validation) == ("classification", 255, 0, 0)


@pytest.mark.parametrize(
    ("parts", "counts"),
    [
        (("train", "test"), (0, 20)),
        (("train", "val", "test"), (20, 20)),
        (("train", "valid", "test"), (20, 20)),
        (("train", "val"), (0, 20)),
    ],
)
def test_subfolders_are_the_parts(tmp_path, parts, counts):
    data = folder(str(image_folder(tmp_path, parts=parts)))
    assert (data.num_validation, data.num_test) == counts
    assert data.y.tolist() == [*[0] * 10, *[1] * 10] * len(parts)
    last = np.asarray(Image.open(tmp_path / "images" / parts[-1] / "bee" / "9.png"))
    assert np.array_equal(data.x[-1], last.transpose(2, 0, 1))


def test_grey_images_have_one_channel_unless_more_are_asked_for(tmp_path):
    root = str(image_folder(tmp_path, shape=(8, 6), parts=()))
    assert folder(root).x.shape == (20, 1, 8, 6)
    assert folder(root, channels=3).x.shape == (20, 3, 8, 6)
    save(tmp_path / "images" / "ant" / "colour.png", np.zeros((8, 6, 3), np.uint8))
    assert folder(root).x.shape == (21, 3, 8, 6)  # and the folder that has changed is read again
    assert folder(root, channels=1).x.shape == (21, 1, 8, 6)


def test_images_are_resized_to_one_size(tmp_path):
    root = image_folder(tmp_path, parts=())
    half = np.full((12, 16, 3), 90, np.uint8)
    save(root / "ant" / "large.png", half)
    with pytest.raises(ConfigError, match=r"large\.png has 12 x 16 pixels, and .*0\.png 8 x 8; give .* data\.size=64"):
        folder(str(root))
    data = folder(str(root), size=[6, 4])
    assert data.x.shape == (21, 3, 6, 4)
    assert (data.x[10] == 90).all()  # of one grey level, at any size
    assert folder(str(root), size=4).x.shape == (21, 3, 4, 4)


def test_a_folder_without_parts_is_split_by_class(tmp_path):
    root = image_folder(tmp_path, parts=())
    data = ArrayDataModule(folder, path=str(root), batch_size=4, test_size=4, validation_size=4)
    assert data.sizes == (12, 4, 4)
    assert np.bincount(data.arrays.y[data.split.test]).tolist() == [2, 2]
    assert data.preparation.classes == ("ant", "bee")


def deep(root, *parts):
    file = root.joinpath(*parts)
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


FAULTS = {
    "an empty class": (lambda root: (root / "train" / "cow").mkdir(), r"cow has no image \(\.jpg, .*; add some"),
    "text": (lambda root: (root / "train" / "ant" / "a.png").write_text("no"), r"a\.png cannot be read as an image"),
    "cut short": (
        lambda root: (root / "test" / "bee" / "0.png").write_bytes((root / "test" / "bee" / "1.png").read_bytes()[:99]),
        r"bee/0\.png cannot be read as an image",
    ),
    "a class of the test alone": (
        lambda root: save(deep(root, "test", "cow", "a.png"), np.zeros((8, 8, 3), np.uint8)),
        r"test/cow is no class of .*train; add its images there",
    ),
    "another folder": (lambda root: (root / "tset").mkdir(), "besides train it has tset, which is no part"),
    "two validation sets": (
        lambda root: [(root / name).mkdir() for name in ("val", "valid")],
        "it has val and valid; keep one",
    ),
    "16 bits": (
        lambda root: Image.fromarray(np.zeros((8, 8), np.uint16)).save(root / "train" / "ant" / "a.png"),
        r"a\.png: an image of mode I;16 has no 8-bit pixels; convert it, or use floats",
    ),
}


@pytest.mark.parametrize(("damage", "message"), FAULTS.values(), ids=FAULTS.keys())
def test_a_faulty_folder_is_one_line(tmp_path, damage, message):
    root = image_folder(tmp_path)
    damage(root)
    with pytest.raises(ConfigError, match=message) as caught:
        folder(str(root))
    assert str(caught.value).startswith(f"data.path={root}: ")
    assert "\n" not in str(caught.value)


def test_a_folder_that_is_none_is_one_line(tmp_path):
    with pytest.raises(ConfigError, match=r"^data\.path=null: data=folder needs a folder, e\.g\. data\.path=FOLDER$"):
        folder(None)
    with pytest.raises(ConfigError, match="there is no such folder"):
        folder(str(tmp_path / "none"))
    with pytest.raises(ConfigError, match="needs a folder a class, at least two, and has no folder"):
        folder(str(tmp_path))
    with pytest.raises(ConfigError, match="it has train, but neither val nor test"):
        folder(str(image_folder(tmp_path, parts=("train",))))
