"""Damaged .npz files: the right arrays or one line, never a traceback, never more memory than the file has bytes."""

import io
import random
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest
from numpy.lib import format as npy

from gradflow.data.archive import Archive, Unreadable
from gradflow.data.npz import load
from gradflow.errors import ConfigError
from gradflow.runs import content

NAMES = ("x_train", "y_train", "x_test", "y_test")


def stored(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def header(shape, descr="<f4", version=(1, 0)):
    """An .npy file's beginning, which may promise anything."""
    text = repr({"descr": descr, "fortran_order": False, "shape": shape}).encode() + b"\n"
    return npy.magic(*version) + struct.pack("<H" if version == (1, 0) else "<I", len(text)) + text


TABLE = np.random.default_rng(0).normal(size=(12, 3)).astype(np.float32)
MEMBERS = {
    "x_train.npy": stored(TABLE),
    "y_train.npy": stored(np.arange(12) % 3),
    "x_test.npy": stored(TABLE[:3]),
    "y_test.npy": stored(np.arange(3)),
}


def archive(changes=(), compression=zipfile.ZIP_STORED, **again):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as opened:
        for name, data in (MEMBERS | dict(changes)).items():
            opened.writestr(name, data)
        for name, data in again.items():
            opened.writestr(f"{name}.npy", data)
    return file.getvalue()


def patched(whole, at, new, *, signature=b"PK\x01\x02"):
    """Overwrite bytes of the first member's entry in the directory, and nothing else."""
    start = whole.index(signature) + at
    return whole[:start] + new + whole[start + len(new) :]


WHOLE = archive()
X = "x_train.npy"
DAMAGED = {
    "nothing": b"",
    "text": b"hello",
    "a pickle": b"\x80\x04N.",
    "one array": stored(TABLE),
    "half": WHOLE[: len(WHOLE) // 2],
    "without its end": WHOLE[:-10],
    "without its beginning": WHOLE[100:],
    "an archive without members": b"PK\x05\x06" + bytes(18),
    "an empty member": archive({X: b""}),
    "a member of text": archive({X: b"hello"}),
    "a member that is a pickle": archive({X: b"\x80\x04N."}),
    "an array of objects": archive({X: stored(np.array([None] * 3, dtype=object))}),
    "an array of text": archive({X: stored(np.array(["a"] * 12))}),
    "a header alone": archive({X: header((12, 3))}),
    "a header cut short": archive({X: header((12, 3))[:20]}),
    "10**12 rows": archive({X: header((10**12, 3)) + bytes(144)}),
    "10**30 rows": archive({X: header((10**30, 3)) + bytes(144)}),
    "10**12 rows of nothing": archive({X: header((10**12, 0))}),
    "negative rows": archive({X: header((-12, -3)) + bytes(144)}),
    "a row too few": archive({X: header((11, 3)) + bytes(144)}),
    "wide text": archive({X: header((1,), f"<U{10**9}") + bytes(144)}),
    "no such type": archive({X: header((12, 3), "<q9") + bytes(144)}),
    "no such version": archive({X: npy.MAGIC_PREFIX + b"\x09\x00" + header((12, 3))[8:] + bytes(144)}),
    "version 3": archive({X: header((12, 3), version=(3, 0)) + bytes(144)}),
    "a deep header": archive({X: npy.magic(1, 0) + struct.pack("<H", 9000) + b"(" * 9000}),
    "a header of 4 GB": archive({X: npy.magic(2, 0) + struct.pack("<I", 2**32 - 1) + b"{"}),
    "an encrypted member": patched(WHOLE, 8, b"\x01"),
    "an unknown compression": patched(WHOLE, 10, struct.pack("<H", 77)),
    "another compression": patched(WHOLE, 10, struct.pack("<H", zipfile.ZIP_DEFLATED)),
    "lzma": archive(compression=zipfile.ZIP_LZMA),
    "bzip2": archive(compression=zipfile.ZIP_BZIP2),
    "a wrong checksum": patched(WHOLE, 16, b"\x00\x00\x00\x00"),
    "a size beyond the file": patched(WHOLE, 20, struct.pack("<II", 2**31, 2**31)),
    "a bomb of 4 GB": patched(WHOLE, 24, struct.pack("<I", 2**32 - 2)),
    "Zip64 without its sizes": patched(WHOLE, 20, struct.pack("<II", 2**32 - 1, 2**32 - 1)),
    "an offset beyond the file": patched(WHOLE, 42, struct.pack("<I", 2**30)),
    "an unknown array": archive(extra=stored(TABLE)),
    "a folder": archive({"folder/": b""}),
}


def outcome(tmp_path, damaged):
    """The data set, or None after checking how it was refused; either way with little memory."""
    file = tmp_path / "own.npz"
    file.write_bytes(damaged)
    tracemalloc.start()
    try:
        content._of_file(file, False, random.getrandbits(62), len(damaged))  # what the runs' records keep
        return load(str(file), task="classification")
    except ConfigError as error:
        said = str(error)
        assert said.startswith(f"data.path={file}: "), said
        assert said.isprintable(), said
        return None
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 5e6


@pytest.mark.parametrize("damaged", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_is_refused_in_one_line(tmp_path, damaged):
    assert outcome(tmp_path, damaged) is None


def test_one_name_twice_is_refused(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate name"):
        twice = archive(x_train=stored(TABLE * 2))
    assert outcome(tmp_path, twice) is None


@pytest.mark.parametrize("kind", ["stored", "deflated"])
def test_random_damage_is_refused_or_harmless(tmp_path, kind):
    """Flipped bytes, cuts and insertions: whatever is read has the right numbers, which the checksums see to."""
    method = {"stored": zipfile.ZIP_STORED, "deflated": zipfile.ZIP_DEFLATED}[kind]
    whole = archive(compression=method)
    (tmp_path / "own.npz").write_bytes(whole)
    right = load(str(tmp_path / "own.npz"), task="classification")
    draw = random.Random(kind)
    for _ in range(150):
        damaged = bytearray(whole)
        for _ in range(draw.choice([1, 1, 2, 8])):
            at = draw.randrange(len(damaged))
            match draw.choice(["flip", "flip", "byte", "cut", "insert"]):
                case "flip":
                    damaged[at] ^= 1 << draw.randrange(8)
                case "byte":
                    damaged[at] = draw.randrange(256)
                case "cut":
                    del damaged[at : at + draw.randrange(20)]
                case "insert":
                    damaged[at:at] = draw.randbytes(draw.randrange(20))
        found = outcome(tmp_path, bytes(damaged))
        assert found is None or (np.array_equal(found.x, right.x) and np.array_equal(found.y, right.y))


def test_a_file_larger_than_the_memory_is_not_read(tmp_path, monkeypatch):
    (tmp_path / "own.npz").write_bytes(WHOLE)
    monkeypatch.setattr("gradflow.data.archive.memory", lambda: 500.0)
    with pytest.raises(Unreadable, match="it holds 0 GB, and this machine has 0 GB of memory"):
        Archive(tmp_path / "own.npz")


def test_an_archive_is_closed_after_use(tmp_path):
    (tmp_path / "own.npz").write_bytes(WHOLE)
    with Archive(tmp_path / "own.npz") as opened:
        assert tuple(opened.names) == NAMES
        assert np.array_equal(opened.read("x_train"), TABLE)
    with pytest.raises(Unreadable, match="x_train is damaged"):
        opened.read("x_train")
