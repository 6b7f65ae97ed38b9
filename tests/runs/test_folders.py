"""Folder names: legal everywhere, short enough, and different where the axes are."""

import itertools
import re
import string
from pathlib import Path

import pytest

from gradflow.runs import folders

DIGEST = re.compile(r"~[0-9a-f]{8}$")


@pytest.mark.parametrize(
    ("axes", "name"),
    [
        ({"activation": "relu", "blocks": 4}, "activation=relu,blocks=4"),
        ({"activation": "relu", "optimizer.lr": 0.001}, "activation=relu,optimizer.lr=0.001"),
        ({"optimizer.lr": 1e-5}, "optimizer.lr=1e-05"),
        ({"optimizer.lr": 1e30}, "optimizer.lr=1e+30"),
        ({"x": 0.1 + 0.2}, "x=0.30000000000000004"),  # what is shown is the value itself
        ({"x": 123456789.5}, "x=123456789.5"),
        ({"model.bias": False, "model.residual": True, "x": None}, "model.bias=false,model.residual=true,x=null"),
        ({"width": [256, 128]}, "width=256x128"),
        ({"data.pixel_range": [-1, 0.5]}, "data.pixel_range=-1x0.5"),
        ({"precision": "bf16"}, "precision=bf16"),
        ({"optimizer.momentum": "0.9-true"}, "optimizer.momentum=0.9-true"),
        ({}, ""),
    ],
)
def test_plain_values_are_shown_as_they_are_typed(axes, name):
    assert folders.config_name(axes) == name


NASTY = [
    {"data.path": "/a/b.npz"},
    {"data.path": "C:\\a\\b.npz"},
    {"x": 'a<b>c:d"e|f?g*h'},
    {"x": "two words\tand\na line"},
    {"x": "nul\x00"},
    {"x": "ends in a dot."},
    {"x": "dot."},
    {"x": "grün"},
    {"x": "層" * 100},
    {"x": "it's ${blocks} {braces} $HOME %d"},
    {"x": ""},
    {f"key{i}": i for i in range(100)},
    {"x": "a" * 119},
    {"x": "." * 200},
]


@pytest.mark.parametrize("axes", NASTY, ids=range(len(NASTY)))
def test_names_are_legal_on_every_file_system_and_altered_ones_end_in_a_digest(axes, tmp_path):
    name = folders.config_name(axes)
    assert len(name.encode()) <= folders.LONGEST_NAME
    assert set(name) <= set(string.ascii_letters + string.digits + "=,._+-~@")
    assert not name.endswith((".", " "))
    assert DIGEST.search(name)
    (tmp_path / name).mkdir()


def test_a_name_of_exactly_the_longest_length_stays():
    longest = {"x": "a" * (folders.LONGEST_NAME - 2)}
    assert folders.config_name(longest) == "x=" + longest["x"]
    assert DIGEST.search(folders.config_name({"x": longest["x"] + "a"}))


def test_different_axes_never_share_a_name():
    axes = [
        *NASTY,
        {"a": "b,c=d"},
        {"a": "b", "c": "d"},
        {"a": "b", "c": "d,e=f"},
        {"a": [1, 2]},
        {"a": "1x2"},
        {"a": [[1, 2]]},
        {"a": ["1x2"]},
        {"a": [[1], 2]},
        {"a": 12},
        {"a": "12"},
        {"a": []},
        {"a": {}},
        {"a": None},
        {"a": "null"},
        {"a": True},
        {"a": "true"},
        {"a": 1},
        {"a": "1"},
        {"a": 0.1},
        {"a": "0.1"},
        {"a": 0.1 + 1e-17 + 0.2},
        {"a": 0.3},
        {"a": "b c"},
        {"a": "b_c"},
        {"a": "b  c"},
        {"a": "b\tc"},
        {"x": "a" * 120},
        {"x": "a" * 121},
        {"x": "nul_"},
        {"x": "grun"},
        {"x": "dot"},
        {"activation": "relu", "blocks": 1},
        {"blocks": 1, "activation": "relu"},
    ]
    for one, other in itertools.combinations(axes, 2):
        assert folders.config_name(one) != folders.config_name(other), (one, other)


def test_folders_are_those_of_the_contract():
    folder = folders.run_folder("outputs", "digits_conv", "activation=relu,blocks=4", 3)
    assert folder == Path("outputs/digits_conv/activation=relu,blocks=4/seed=3")
