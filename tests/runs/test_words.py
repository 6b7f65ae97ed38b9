"""Names in people's words."""

import pytest

from gradflow import CONF
from gradflow.runs.words import (
    ACTIVATIONS,
    DATA,
    NETWORKS,
    activation_words,
    axis_words,
    blocks_words,
    layer_words,
    setting_words,
)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("relu", "ReLU"),
        ("sigmoid", "sigmoid"),
        ("leaky_relu(negative_slope=0.2)", "leaky ReLU (negative slope 0.2)"),
        ("MyOwn", "MyOwn"),
        ("my_own(beta=2)", "my_own (beta 2)"),
        ("module.hidden=32", "hidden 32"),
        ("optimizer.lr=default", "default learning rate"),
    ],
)
def test_an_activation_is_named_as_people_write_it_and_ones_own_keeps_its_name(name, words):
    assert activation_words(name) == words


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("", ""),
        ("model.norm=none", "without normalisation"),
        ("model.norm=batch, optimizer.lr=0.1", "with batch normalisation, learning rate 0.1"),
        ("model.residual=True, init=he", "with residual connections, He initialisation"),
        ("model.residual=False", "without residual connections"),
        ("width=[64, 32], optimizer=sgd", "width [64, 32], SGD"),
        ("model.extra_units=3", "extra units 3"),
    ],
)
def test_settings_are_said_in_words(settings, words):
    assert setting_words(settings) == words


def test_layers_and_depths_are_said_in_words():
    assert [layer_words(layer) for layer in ("00_stem", "03_block", "100_block", "09_head")] == [
        "stem",
        "block 3",
        "block 100",
        "head",
    ]
    names = ("01_conv", "02_conv", "04_mlp_out", "decoder.attention", "03_layer1.0.conv2", "07_layer1.0.conv2")
    assert [layer_words(layer) for layer in names] == ["conv 1", "conv 2", "mlp out 4", *names[3:]]
    assert (blocks_words(1), blocks_words(4)) == ("1 block", "4 blocks")
    assert axis_words("optimizer.lr") == "learning rate"


@pytest.mark.parametrize(("group", "table"), [("activation", ACTIVATIONS), ("data", DATA), ("model", NETWORKS)])
def test_every_option_of_the_package_has_words(group, table):
    whatever_the_user_names = {"custom", "npz", "torchvision"}
    assert {file.stem for file in (CONF / group).glob("*.yaml")} - whatever_the_user_names <= table.keys()
