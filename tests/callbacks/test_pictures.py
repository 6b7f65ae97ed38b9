"""The pictures at the end of a run are readable and made of what was recorded."""

import io

import pytest
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger, WandbLogger
from PIL import Image
from small_runs import small_mlp
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
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


def test_other_loggers_get_no_pictures_and_one_sentence_says_so(fit, tmp_path, caplog):
    fit(callbacks=[GradientNorms(), Pictures()], logger=CSVLogger(tmp_path), max_epochs=1)
    messages = [record.message for record in caplog.records if record.name == "gradflow.callbacks.pictures"]
    assert messages == ["Pictures go to TensorBoardLogger or WandbLogger; CSVLogger shows none"]


def test_lightnings_tensorboard_logger_gets_them_too(fit, tmp_path):
    logger = TensorBoardLogger(tmp_path)
    run = fit(callbacks=[GradientNorms(), UnitStatistics(), Pictures()], logger=logger, max_epochs=1)
    logger.experiment.flush()
    images = EventAccumulator(logger.log_dir).Reload()
    assert set(images.Tags()["images"]) == {"gradient_by_depth", "dead_units_by_depth"}
    (event,) = images.Images("dead_units_by_depth")
    assert event.step == run.trainer.global_step
    assert Image.open(io.BytesIO(event.encoded_image_string)).size == (event.width, event.height)


def test_weights_and_biases_gets_them_through_its_logger(fit, tmp_path):
    shown = []

    class Offline(WandbLogger):
        """Without the package behind it: what Lightning's logger would hand on."""

        def __init__(self):
            pass

        name, version, save_dir, experiment = "wandb", "0", str(tmp_path), None

        def log_image(self, key, images, step=None, **kwargs):
            shown.append((key, [image.mode for image in images], step))

        def log_metrics(self, metrics, step=None):
            pass

        def log_hyperparams(self, params):
            pass

        def finalize(self, status):
            pass

        def save(self):
            pass

    fit(callbacks=[GradientNorms(), Pictures()], logger=Offline(), max_epochs=1)
    assert shown == [("gradient_by_depth", ["RGB"], 4)]
