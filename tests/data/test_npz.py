"""Your own arrays, from an .npz file."""

import numpy as np
import pytest

from gradflow.data.sources import npz
from gradflow.errors import ConfigError


def arrays(x_shape=(5, 4), *, dtype=np.float32, num_train=6, num_test=3):
    """A small valid file's content: tables by default, three classes."""
    numbers = np.random.default_rng(0).integers(0, 256, size=(num_train + num_test, *x_shape[1:]))
    x, y = numbers.astype(dtype), np.arange(num_train + num_test) % 3
    return {"x_train": x[:num_train], "y_train": y[:num_train], "x_test": x[num_train:], "y_test": y[num_train:]}


@pytest.fixture
def save(tmp_path):
    def write(content):
        np.savez(tmp_path / "own.npz", **content)
        return str(tmp_path / "own.npz")

    return write


@pytest.mark.parametrize(
    ("x_shape", "sample_shape"),
    [
        ((9, 8, 7), (1, 8, 7)),
        ((9, 8, 7, 3), (3, 8, 7)),
        ((9, 8, 7, 1), (1, 8, 7)),
        ((9, 4, 8, 7), (4, 8, 7)),
        ((9, 13, 8, 8), (13, 8, 8)),
        ((9, 5), (5,)),
    ],
)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_shapes_that_are_understood(save, x_shape, sample_shape, dtype):
    content = arrays(x_shape, dtype=dtype)
    data = npz(save(content))
    assert data.x.shape == (9, *sample_shape)
    assert data.num_test == 3
    holds_pixels = dtype is np.uint8 and len(x_shape) > 2
    assert data.x.dtype == (np.uint8 if holds_pixels else np.float32)
    assert data.pixel_max == (255 if holds_pixels else None)
    expected = np.concatenate([content["x_train"], content["x_test"]])
    if x_shape[-1] in (1, 3):
        expected = np.moveaxis(expected, -1, 1)
    assert np.array_equal(data.x, expected.reshape(data.x.shape))
    assert data.y.tolist() == [0, 1, 2] * 3


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
def test_the_layout_may_be_said_where_shapes_do_not_tell(save, layout):
    content = arrays((9, 4, 5, 6), dtype=np.uint8)
    images = np.concatenate([content["x_train"], content["x_test"]])
    expected = images if layout == "NCHW" else images.transpose(0, 3, 1, 2)
    assert np.array_equal(npz(save(content), layout=layout).x, expected)


def test_square_images_show_which_axis_has_five_channels(save):
    content = arrays((9, 8, 8, 5), dtype=np.uint8)
    assert np.array_equal(npz(save(content)).x[:6], content["x_train"].transpose(0, 3, 1, 2))


def test_several_targets_and_several_labels_keep_their_columns(save):
    numbers, content = np.random.default_rng(1).normal(size=(9, 3)), arrays()
    many = npz(save(content | {"y_train": numbers[:6], "y_test": numbers[6:]}), task="regression")
    assert (many.y.dtype, many.num_outputs) == (np.float32, 3)
    assert np.array_equal(many.y, numbers.astype(np.float32))
    labels = numbers > 0
    for stored in (labels, labels.astype(np.float64)):
        found = npz(save(content | {"y_train": stored[:6], "y_test": stored[6:]}), task="multilabel")
        assert (found.y.dtype, found.y.tolist(), found.num_outputs) == (np.int64, labels.astype(int).tolist(), 3)


def test_columns_of_labels_and_the_other_tasks(save):
    content = arrays()
    column = content | {key: content[key][:, None] for key in ("y_train", "y_test")}
    assert npz(save(column)).y.tolist() == [0, 1, 2] * 3
    binary = npz(save(content | {key: content[key] > 0 for key in ("y_train", "y_test")}), task="binary")
    assert (binary.y.tolist(), binary.y.dtype, binary.num_outputs) == ([0, 1, 1] * 3, np.int64, 1)
    regression = npz(save(content | {"y_train": np.arange(6) / 8}), task="regression")
    assert (regression.y[:6].tolist(), regression.y.dtype) == ([0, 0.125, 0.25, 0.375, 0.5, 0.625], np.float32)


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.float16, np.float64])
def test_a_table_is_the_same_whatever_its_type(save, dtype):
    table = arrays(dtype=np.float32)
    expected = npz(save(table)).x
    found = npz(save(table | {key: (table[key] % 17).astype(dtype) for key in ("x_train", "x_test")}))
    assert (found.x.dtype, found.pixel_max) == (np.float32, None)
    assert np.array_equal(found.x, expected % 17)


def test_the_parts_of_a_table_may_be_stored_with_different_types(save):
    table = arrays(dtype=np.float32)
    mixed = npz(save(table | {"x_test": table["x_test"].astype(np.uint8)}))
    assert np.array_equal(mixed.x, npz(save(table)).x)


def test_a_file_is_read_once_until_it_changes(save, tmp_path):
    path = save(arrays())
    first = npz(path)
    assert npz(path) is first
    save(arrays(num_test=2))
    assert npz(path).num_test == 2


def changed(**changes):
    return {"content": {key: np.asarray(value) for key, value in changes.items()}}


BAD = {
    "object array": (changed(x_train=np.array([None] * 6)), "x_train holds Python objects; store it as an array"),
    "strings": (changed(y_train=["a"] * 6), "y_train holds <U1, not numbers; store it as integers"),
    "empty": (changed(x_test=np.zeros((0, 4))), r"x_test is empty \(shape \(0, 4\)\); every part needs"),
    "one dimension": (changed(x_train=np.zeros(6)), r"x_train has shape \(6,\); images are"),
    "five dimensions": (changed(x_train=np.zeros((6, 2, 2, 2, 2))), r"x_train has shape .*; images are"),
    "wide pixels": (changed(x_train=np.zeros((6, 8, 8), np.int64)), "pixels of int64; store them as uint8"),
    "two channel axes": (
        changed(x_train=np.zeros((6, 3, 8, 3))),
        "two of its dimensions could be the channels; say which",
    ),
    "no channel axis": (
        changed(x_train=np.zeros((6, 8, 7, 2))),
        r"no dimension is plainly the channels; say .*\+data\.layout=NHWC or \+data\.layout=NCHW",
    ),
    "shapes differ": (changed(x_test=np.zeros((3, 5), np.float32)), "x_test float32 .*; store both with the same"),
    "types differ": (
        changed(x_train=np.zeros((6, 8, 8)), x_test=np.zeros((3, 8, 8), np.uint8)),
        "x_train is float64 .* x_test uint8 .*; store both with the same",
    ),
    "training lengths": (changed(y_train=[0, 1, 2]), "x_train has 6 samples and y_train 3; make them the same length"),
    "test lengths": (changed(y_test=[0, 1, 2, 2]), "x_test has 3 samples and y_test 4; make them the same length"),
    "float labels": (changed(y_train=np.zeros(6)), "y_train holds float64, but .* needs integers; store it as int64"),
    "one-hot labels": (
        changed(y_train=np.eye(6)),
        r"y_train has shape \(6, 6\); .* store y\.argmax\(1\), .*task=regression",
    ),
    "negative labels": (changed(y_train=[-1, 0, 1, 2, 0, 1]), "the training labels are -1 to 2; number the classes"),
    "unseen test labels": (changed(y_test=[0, 1, 3]), "y_test holds 3, which y_train lacks; remove"),
    "negative test labels": (changed(y_test=[0, 1, -3]), "y_test holds -3, which y_train lacks; remove"),
    "a gap": (changed(y_train=[0, 1, 2, 0, 1, 900]), "the training labels are 0, 1, 2, 900; number .* np.unique"),
    "labels from 1": (changed(y_train=[1, 2, 3, 1, 2, 3]), "the training labels are 1 to 3; number .* without gaps"),
    "labels far apart": (changed(y_train=[0, 100, 200, 300, 400, 900]), r"are 0, 100, 200, \.\.\., 900; number"),
    "two labels": (changed(y_train=[1, 2, 1, 2, 1, 2], y_test=[1, 2, 1]), "the training labels are 1, 2; number"),
    "one class": (changed(y_train=[0] * 6), "y_train holds a single class, .*check"),
    "one binary class": (
        changed(y_train=[1] * 6, y_test=[1] * 3) | {"task": "binary"},
        "holds a single class, .*check",
    ),
    "signs": (changed(y_train=[-1, 1] * 3, y_test=[1, 1, -1]) | {"task": "binary"}, "labels are -1, 1; number"),
    "not a number": (changed(x_train=np.full((6, 4), np.nan)), "x_train holds values that are not finite .*; remove"),
    "too large": (changed(x_test=np.full((3, 4), 1e300)), "x_test holds values that are not finite .*; remove"),
    "binary labels": (changed() | {"task": "binary"}, "labels reach 2, but data.task=binary .*; use data.task=class"),
    "binary floats": (changed(y_train=np.zeros(6)) | {"task": "binary"}, "y_train holds float64, but .*; store"),
    "targets": (changed(y_test=[0, np.inf, 1]) | {"task": "regression"}, "y_test holds values that are not finite"),
    "labels of 0.5": (
        changed(y_train=np.full((6, 2), 0.5)) | {"task": "multilabel"},
        r"y_train holds 0\.5, but data\.task=multilabel needs labels of 0 and 1",
    ),
    "one label": (
        changed() | {"task": "multilabel"},
        r"y_train has shape \(6,\), but .*; for one label use data.task=bin",
    ),
    "a label that all have": (
        changed(y_train=[[1, 0], [1, 1]] * 3, y_test=[[1, 0]] * 3) | {"task": "multilabel"},
        r"label 0 of y_train \(counted from 0\) is the same for all samples; leave that column out",
    ),
    "a constant column": (
        changed(y_train=np.outer(np.arange(6.0), [1, 0]), y_test=np.ones((3, 2))) | {"task": "regression"},
        "target 1 of y_train .* is the same for all samples",
    ),
    "columns differ": (
        changed(y_train=np.outer(np.arange(6.0), [1, 2]), y_test=np.ones((3, 3))) | {"task": "regression"},
        r"y_train is float64 \(6, 2\) and y_test float64 \(3, 3\); store both",
    ),
    "constant targets": (changed(y_train=np.ones(6)) | {"task": "regression"}, "y_train is constant, .*check"),
}


@pytest.mark.parametrize(("case", "message"), BAD.values(), ids=BAD.keys())
def test_bad_content_is_refused_in_one_line(save, case, message):
    path = save(arrays() | case["content"])
    with pytest.raises(ConfigError, match=message) as caught:
        npz(path, task=case.get("task", "classification"))
    assert str(caught.value).startswith(f"data.path={path}: ")
    assert "\n" not in str(caught.value)


def with_validation(**changes):
    content = arrays(num_train=9)
    rows = {"x_val": content["x_train"][:4] + 1, "y_val": content["y_train"][:4]}
    return content | rows | changes


def test_the_validation_set_of_the_file_lies_before_its_test_set(save):
    content = with_validation()
    data = npz(save(content))
    assert (data.num_validation, data.num_test, len(data.x)) == (4, 3, 16)
    assert np.array_equal(data.x[9:13], content["x_val"])
    assert np.array_equal(data.y, np.concatenate([content[f"y_{part}"] for part in ("train", "val", "test")]))
    assert npz(save(arrays())).num_validation == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"y_val": None}, "it holds x_val alone; store both x_val and y_val, or neither"),
        ({"x_val": None}, "it holds y_val alone; store both x_val and y_val, or neither"),
        ({"x_valid": np.zeros(3)}, "it also holds x_valid, which nothing uses; did you mean x_val.*; leave that out"),
        ({"names": np.zeros(3)}, "it also holds names, which nothing uses; leave that out of the file"),
        ({"x_val": np.zeros((4, 5))}, r"x_train is float32 \(9, 4\) and x_val float64 \(4, 5\); store both with"),
        ({"y_val": [0, 1]}, "x_val has 4 samples and y_val 2; make them the same length"),
        ({"y_val": [0, 1, 2, 7]}, "y_val holds 7, which y_train lacks; remove"),
    ],
)
def test_a_bad_validation_set_is_refused(save, changes, message):
    content = {key: value for key, value in with_validation(**changes).items() if value is not None}
    with pytest.raises(ConfigError, match=message):
        npz(save(content))


def test_missing_arrays_are_named(save):
    content = arrays()
    del content["y_test"], content["x_test"]
    with pytest.raises(ConfigError, match=r"it has no x_test, y_test \(only x_train, y_train\); write it with"):
        npz(save(content))


@pytest.mark.parametrize("damage", ["text", "empty", "cut short", "one array", "pickle", "flipped bits"])
def test_files_that_are_no_npz_are_refused(save, tmp_path, damage):
    whole = (tmp_path / "own.npz").read_bytes() if save(arrays()) else b""
    path = tmp_path / "bad.npz"
    middle = len(whole) // 8
    flipped = whole[:middle] + bytes(255 - byte for byte in whole[middle : middle + 40]) + whole[middle + 40 :]
    content = {"text": b"hello", "empty": b"", "cut short": whole[:300], "flipped bits": flipped}
    path.write_bytes(content.get(damage, b"\x80\x04N."))
    if damage == "one array":
        with path.open("wb") as file:
            np.save(file, np.zeros(3))
    with pytest.raises(ConfigError, match=r"; write it (again )?with np\.savez") as caught:
        npz(str(path))
    assert str(caught.value).startswith(f"data.path={path}: ")
    assert "\n" not in str(caught.value)


def test_a_path_is_needed_and_must_exist(tmp_path):
    with pytest.raises(ConfigError, match=r"^data\.path=null: .*data\.path=FILE\.npz$"):
        npz(None)
    with pytest.raises(ConfigError, match=r"^data\.path=.*none\.npz: there is no such file; give the path"):
        npz(str(tmp_path / "none.npz"))
    with pytest.raises(ConfigError, match="there is no such file"):
        npz(str(tmp_path))


def test_the_task_is_checked(save):
    with pytest.raises(
        ConfigError, match=r"^data\.task=ranking: choose one of classification, binary, regression, multilabel$"
    ):
        npz(save(arrays()), task="ranking")
