"""The pictures at the end of a run are readable and made of what was recorded."""

import io

import pytest
from lightning.pytorch.loggers import CSVLogger
from PIL import Image
from small_runs import small_mlp
from torch import nn

from gradflow.activations import Maxout
from gradflow.callbacks.gradient_norms import GradientNorms
from gradflow.callbacks.pictures import Pictures
from gradflow.callbacks.unit_statistics import UnitStatistics
from gradflow.figures import of_a_run


@pytest.fixture
def drawn(monkeypatch):
    """The arguments of the charts, by name; each is drawn as well."""
    calls = {}

    def spy(name):
        draw = getattr(of_a_run, name)
        monkeypatch.setattr(of_a_run, name, lambda values: calls.setdefault(name, values) and draw(values))

    spy("gradient_by_depth")
    spy("dead_units_by_depth")
    return calls


def test_pictures_show_the_first_step_and_the_last_epoch(fit, drawn):
    run = fit(small_mlp(blocks=3), callbacks=[gradients := GradientNorms(), units := UnitStatistics(), Pictures()])
    images = run.read()
    assert set(images.Tags()["images"]) == {"gradient_by_depth", "dead_units_by_depth"}
    for tag in images.Tags()["images"]:
        (event,) = images.Images(tag)
        picture = Image.open(io.BytesIO(event.encoded_image_string))
        picture.load()
        assert (event.step, event.width, event.height) == (8, *picture.size)
        assert len(picture.convert("RGB").getcolors(2**24)) > 10
    layers = ["01_block", "02_block", "03_block", "04_head"]
    first, last = drawn["gradient_by_depth"].values()
    assert first == pytest.approx({layer: run.scalars(f"grad_rms/{layer}")[0] for layer in layers})
    assert last == {layer: gradients.latest[f"grad_rms/{layer}"] for layer in layers}
    before, end = drawn["dead_units_by_depth"].values()
    assert before == {layer: units.first[f"dead_units/{layer}"] for layer in layers[:-1]}
    assert end == {layer: units.latest[f"dead_units/{layer}"] for layer in layers[:-1]}


@pytest.mark.parametrize(
    ("callbacks", "expected"),
    [
        ([], set()),
        ([UnitStatistics(dead_units=False)], set()),
        ([UnitStatistics()], {"dead_units_by_depth"}),
        ([GradientNorms(rms=False)], {"gradient_by_depth"}),
    ],
)
def test_only_what_was_recorded_is_drawn(fit, callbacks, expected):
    run = fit(callbacks=[*callbacks, Pictures()], max_epochs=1)
    assert set(run.read().Tags()["images"]) == expected


def test_functions_without_slopes_have_no_picture_of_dead_units(fit):
    run = fit(small_mlp(Maxout), callbacks=[UnitStatistics(), Pictures()], max_epochs=1)
    assert run.read().Tags()["images"] == []


def test_a_network_without_any_gradient_has_no_picture_of_it(fit):
    network = small_mlp(nn.ReLU)
    nn.init.zeros_(network.head.weight)
    nn.init.constant_(network.layers[1].affine.bias, -1e6)
    run = fit(network, callbacks=[GradientNorms(), Pictures()], max_epochs=1)
    assert run.read().Tags()["images"] == []


def test_other_loggers_get_no_pictures(fit, tmp_path):
    fit(callbacks=[GradientNorms(), Pictures()], logger=CSVLogger(tmp_path), max_epochs=1)
