"""The data sets themselves; downloads are replaced by stand-ins."""

import struct
from types import SimpleNamespace
from urllib.error import URLError

import numpy as np
import pytest
import torchvision

from gradflow.data import sources
from gradflow.errors import ConfigError


def no_network(*_args, **_kwargs):
    raise URLError("no route\nto host")


def write_idx(file, array):
    """The format of MNIST: magic number (type 8 = uint8, dimensions), sizes in big endian, bytes."""
    file.write_bytes(struct.pack(f">{1 + array.ndim}I", 8 * 256 + array.ndim, *array.shape) + array.tobytes())


def fake_mnist(folder, *, num_train=12, num_test=5):
    folder.mkdir(parents=True)
    generator = np.random.default_rng(0)
    parts = {}
    for name, count in (("train", num_train), ("t10k", num_test)):
        parts[name] = generator.integers(0, 256, (count, 28, 28), np.uint8), np.arange(count, dtype=np.uint8) % 3
        write_idx(folder / f"{name}-images-idx3-ubyte", parts[name][0])
        write_idx(folder / f"{name}-labels-idx1-ubyte", parts[name][1])
    return parts


def test_digits_are_the_embedded_images():
    data = sources.digits()
    assert data.x.shape == (1797, 1, 8, 8)
    assert (data.x.dtype, data.x.min(), data.x.max(), data.pixel_max) == (np.uint8, 0, 16, 16)
    assert (data.task, data.num_outputs, data.num_test) == ("classification", 10, 0)


@pytest.mark.parametrize(("source", "folder"), [(sources.mnist, "MNIST"), (sources.fashion_mnist, "FashionMNIST")])
def test_idx_files_that_are_there_are_read_without_network(monkeypatch, tmp_path, source, folder):
    monkeypatch.setattr("urllib.request.urlopen", no_network)
    parts = fake_mnist(tmp_path / folder / "raw")
    data = source(str(tmp_path))
    assert np.array_equal(data.x[:12, 0], parts["train"][0])
    assert np.array_equal(data.x[12:, 0], parts["t10k"][0])
    assert data.y.tolist() == [0, 1, 2] * 4 + [0, 1, 2, 0, 1]
    assert (data.num_test, data.pixel_max, data.num_outputs) == (5, 255, 3)
    assert source(str(tmp_path)) is data  # read once
    assert not list(tmp_path.glob("*.lock"))  # a read-only folder is enough


@pytest.mark.parametrize(
    ("source", "option", "file", "folder"),
    [
        (sources.mnist, "mnist", "train-images-idx3-ubyte", "MNIST/raw"),
        (sources.fashion_mnist, "fashion_mnist", "t10k-labels-idx1-ubyte", "FashionMNIST/raw"),
        (sources.cifar10, "cifar10", "cifar-10-python.tar.gz", ""),
    ],
)
def test_a_failed_download_says_which_files_to_put_where(monkeypatch, tmp_path, source, option, file, folder):
    monkeypatch.setattr("urllib.request.urlopen", no_network)
    with pytest.raises(ConfigError, match=rf"^data={option}: .*no route to host.*data_dir=DIR$") as caught:
        source(str(tmp_path / "new"))
    assert "\n" not in str(caught.value)
    assert file in str(caught.value)
    assert f"into {tmp_path / 'new' / folder}," in str(caught.value)


def test_damaged_files_are_reported(monkeypatch, tmp_path):
    monkeypatch.setattr("urllib.request.urlopen", no_network)
    fake_mnist(tmp_path / "MNIST" / "raw")
    (tmp_path / "MNIST" / "raw" / "t10k-images-idx3-ubyte").write_bytes(b"\0\0\x08\x03" + bytes(20))
    with pytest.raises(ConfigError, match="data=mnist: cannot read or download it"):
        sources.mnist(str(tmp_path))


def test_first_use_downloads_once_and_under_a_lock(monkeypatch, tmp_path):
    calls = []

    def stand_in(root, *, train, download):
        calls.append((train, download, (root / ".cifar10.lock").exists()))
        if not download:
            raise RuntimeError("Dataset not found or corrupted.")
        return SimpleNamespace(data=np.full((4, 32, 32, 3), [1, 2, 3], np.uint8), targets=[0, 1, 2, 3])

    monkeypatch.setattr(torchvision.datasets, "CIFAR10", stand_in)
    data = sources.cifar10(str(tmp_path))
    assert calls == [(True, False, False), (True, True, True), (False, True, True)]
    assert data.x.shape == (8, 3, 32, 32)
    assert data.x[0, :, 0, 0].tolist() == [1, 2, 3]  # channels first
    assert (data.y.tolist(), data.num_test) == ([0, 1, 2, 3] * 2, 4)


def test_home_folder_is_expanded(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    fake_mnist(tmp_path / "pictures" / "MNIST" / "raw")
    assert len(sources.mnist("~/pictures").x) == 17


def test_circles_have_the_radii_asked_for():
    data = sources.circles(samples=100, noise=0.0, factor=0.25, sample_seed=0)
    radius = np.linalg.norm(data.x.astype(np.float64), axis=1)
    assert radius == pytest.approx(np.where(data.y == 1, 0.25, 1.0), rel=1e-6)
    assert (data.x.dtype, data.y.sum(), data.task, data.num_outputs) == (np.float32, 50, "binary", 1)


def test_moons_are_half_circles():
    data = sources.moons(samples=100, noise=0.0, sample_seed=0)
    centre = np.where(data.y[:, None] == 1, [1.0, 0.5], [0.0, 0.0])
    assert np.linalg.norm(data.x - centre, axis=1) == pytest.approx(np.ones(100), rel=1e-6)


def test_points_depend_on_their_seed_and_are_made_once():
    make = {"samples": 50, "noise": 0.1}
    first = sources.moons(**make, sample_seed=0)
    assert sources.moons(**make, sample_seed=0) is first
    assert not np.array_equal(first.x, sources.moons(**make, sample_seed=1).x)


def test_diabetes_is_in_its_own_units():
    data = sources.diabetes()
    assert data.x.shape == (442, 10)
    assert (data.y.min(), data.y.max(), data.y.dtype, data.task) == (25, 346, np.float32, "regression")
    assert (data.x[:, 0].min(), data.x[:, 0].max()) == (19, 79)  # years of age


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"samples": 9}, r"data\.samples=9: needs a whole number of at least 10, e\.g\. data\.samples=1000"),
        ({"samples": 1e3}, r"data\.samples=1000\.0: needs a whole number"),
        ({"noise": -0.1}, r"data\.noise=-0\.1: .*e\.g\. data\.noise=0\.1"),
        ({"noise": "much"}, r"data\.noise=much: "),
        ({"factor": 1.0}, r"data\.factor=1\.0: .*e\.g\. data\.factor=0\.5"),
        ({"sample_seed": -1}, r"data\.sample_seed=-1: "),
    ],
)
def test_bad_points_are_refused(changes, message):
    with pytest.raises(ConfigError, match=message):
        sources.circles(**({"samples": 20, "noise": 0.1, "factor": 0.5, "sample_seed": 0} | changes))
