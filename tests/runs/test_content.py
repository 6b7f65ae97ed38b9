"""The content of what a configuration names."""

import hashlib
import importlib
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from gradflow.errors import ConfigError
from gradflow.runs.content import changed, content


@pytest.fixture
def own_module(tmp_path, monkeypatch):
    """`own_module(source)`: write it, import it anew, and the content of a class in it."""
    monkeypatch.syspath_prepend(tmp_path)
    file = tmp_path / "my_own_functions.py"

    def of(source, target="my_own_functions.Mine"):
        file.write_text(textwrap.dedent(source))
        importlib.invalidate_caches()
        sys.modules.pop("my_own_functions", None)
        return content({"activation._target_": target})

    yield of
    sys.modules.pop("my_own_functions", None)


MINE = """
    from torch import nn

    class Mine(nn.Identity):
        bend = 2
"""


def save(file, *, savez=np.savez, **arrays):
    savez(file, **arrays)
    return content({"data.path": str(file)})["data.path"]


def test_of_an_npz_the_arrays_count_and_not_the_zip(tmp_path):
    x, y = np.arange(6.0).reshape(2, 3), np.array([0, 1])
    first = save(tmp_path / "a.npz", x=x, y=y)
    assert save(tmp_path / "b.npz", savez=np.savez_compressed, y=y, x=np.asfortranarray(x)) == first
    others = [{"x": x + 1, "y": y}, {"x": x.reshape(3, 2), "y": y}, {"x": x.astype(np.float32), "y": y}]
    others += [{"x": x, "z": y}, {"x": x}, {"x": x, "y": y, "z": y}]
    assert len({first, *(save(tmp_path / f"{n}.npz", **one) for n, one in enumerate(others))}) == 1 + len(others)


def test_other_files_and_folders_count_by_their_bytes(tmp_path):
    (tmp_path / "words.txt").write_bytes(b"two words")
    folder = tmp_path / "pictures"
    (folder / "cats").mkdir(parents=True)
    (folder / "cats" / "1.png").write_bytes(b"a cat")
    values = {"data.words": str(tmp_path / "words.txt"), "data.folder": str(folder), "data.list": [str(folder)]}
    found = content(values)
    assert found["data.words"] == hashlib.sha256(b"two words").hexdigest()
    assert found["data.list.0"] == found["data.folder"]
    (folder / "cats" / "1.png").rename(folder / "cats" / "2.png")
    renamed = content(values)
    (folder / "cats" / "2.png").write_bytes(b"a dog")
    edited = content(values)
    assert len({one["data.folder"] for one in (found, renamed, edited)}) == 3
    assert changed(found, edited) == ["data.folder", "data.list.0"]


def test_a_file_of_objects_counts_by_its_bytes_and_runs_no_code(tmp_path):
    first = save(tmp_path / "a.npz", x=np.array([None, 3]))
    assert first == hashlib.sha256((tmp_path / "a.npz").read_bytes()).hexdigest()


def test_words_are_no_paths_whatever_lies_in_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("test", "digits", "relu", "classification"):
        (tmp_path / name).mkdir()
    values = {
        "data.validation": "test",
        "data.name": "digits",
        "data.task": "classification",
        "activation.name": "relu",
    }
    assert content(values | {"data.path": "none.npz", "data.note": "x" * 5000, "data.empty": ""}) == {}
    assert set(content({"data.path": "digits"})) == {"data.path"}


def test_a_file_is_read_once_until_it_changes(tmp_path, monkeypatch):
    file = tmp_path / "a.npz"
    first = save(file, x=np.zeros(3))
    read = []
    monkeypatch.setattr(np, "load", lambda *a, **k: read.append(a))
    assert content({"data.path": str(file)})["data.path"] == first
    assert read == []
    monkeypatch.undo()
    assert save(file, x=np.ones(3)) != first


def test_a_file_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    def refuse(*_arguments, **_options):
        raise PermissionError("not yours")

    (tmp_path / "a.txt").touch()
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ConfigError, match=r"^data\.path=\S*a\.txt: cannot be read \(not yours\); check"):
        content({"data.path": str(tmp_path / "a.txt")})


def test_of_code_comments_docstrings_and_layout_do_not_count(own_module):
    first = own_module(MINE)
    assert set(first) == {"activation._target_"}
    commented = """
    '''My own.'''
    from torch import nn  # neural networks

    class Mine( nn.Identity ):
        '''Mine.'''

        bend = (2)
    """
    assert own_module(commented) == first


@pytest.mark.parametrize(
    "edit", [("bend = 2", "bend = 3"), ("bend = 2", "bend = None"), ("class Mine", "x = 1; class Mine")]
)
def test_of_code_everything_else_in_its_file_does(own_module, edit):
    first = own_module(MINE)
    edited = MINE.replace(*edit).replace("x = 1; class", "x = 1\n\n    class")
    assert changed(first, own_module(edited)) == ["activation._target_"]


def test_a_name_of_ones_own_for_what_is_defined_elsewhere_counts(own_module):
    renamed = "from functools import partial\nfrom torch import nn\n\nMine = partial(nn.Softplus, beta={})\n"
    first = own_module(renamed.format(2))
    assert set(first) == {"activation._target_"}
    assert own_module(renamed.format(3)) != first


def test_what_is_installed_or_gradflows_own_does_not_count():
    targets = ("torch.nn.ReLU", "lightning.Trainer", "gradflow.data.sources.npz", "datetime.timedelta", "builtins.len")
    assert content({f"group{n}._target_": target for n, target in enumerate(targets)}) == {}
    assert content({"activation.inner": [{"_target_": "own_activations.Bent"}]}).keys() == {
        "activation.inner.0._target_"
    }
