"""Unit statistics of other people's LightningModules: what is recorded, when, and that nothing else changes."""

import copy
import csv
from pathlib import Path

import pytest
import torch
from lightning.pytorch.loggers import CSVLogger
from own_modules import SAMPLES, Adversarial, Classifier, loader, trainer
from torch import nn

from gradflow.callbacks.unit_statistics import UnitStatistics
from gradflow.errors import ConfigError

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*does not have many workers"),
    pytest.mark.filterwarnings("ignore:.*does not have any parameters"),
]
SITE = "00_network.relu"


class Recorded(UnitStatistics):
    """Keeps every set of values with its step."""

    def __init__(self, **options):
        super().__init__(**options)
        self.by_step = []

    def record(self, trainer, values):
        super().record(trainer, values)
        self.by_step.append((trainer.global_step, dict(values)))


def fitted(tmp_path, *callbacks, module=None, validation=None, train=None, **options):
    torch.manual_seed(0)
    module = Classifier() if module is None else module
    runner = trainer(tmp_path, *callbacks, **options)
    train = loader(shuffle=True) if train is None else train
    runner.fit(module, train, loader(batch_size=7) if validation is None else validation)
    return module, runner


def test_a_module_that_logs_by_itself_has_its_units_in_its_logger(tmp_path):
    logger = CSVLogger(tmp_path)
    module, _ = fitted(tmp_path, units := UnitStatistics(), logger=logger)
    with torch.no_grad():
        network = copy.deepcopy(module.network).double().eval()
        x = torch.cat([x for x, _ in loader()]).double()
        z = network.norm(network.conv(x)).transpose(0, 1).flatten(1)
    dead, low = float((z <= 0).all(1).double().mean()), float((z <= 0).double().mean())
    assert units.latest[f"dead_units/{SITE}"] == units.latest["dead_units/total"] == dead >= 2 / 6
    assert units.latest[f"low_slope/{SITE}"] == pytest.approx(low, abs=1e-3)
    assert {tag.partition("/")[2] for tag in units.latest} == {SITE, "total"}  # the prediction's sigmoid is no unit
    with (Path(logger.log_dir) / "metrics.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row[f"dead_units/{SITE}"]]
    assert [int(row["step"]) for row in rows] == [5, 10]
    assert float(rows[-1][f"dead_units/{SITE}"]) == dead


def test_training_and_scores_are_bit_identical_to_those_without_it(tmp_path):
    without, _ = fitted(tmp_path)
    module, _ = fitted(tmp_path, UnitStatistics())
    assert all(torch.equal(value, without.state_dict()[name]) for name, value in module.state_dict().items())
    assert module.scores == without.scores
    assert module.seen == without.seen


def test_validation_sets_are_pooled_and_batches_of_any_size_count_alike(tmp_path):
    parts = [loader(samples=10, batch_size=4), loader(samples=SAMPLES, batch_size=24)]
    fitted(tmp_path, several := Recorded(), validation=parts, max_epochs=1)
    whole = torch.utils.data.ConcatDataset([part.dataset for part in parts])
    fitted(tmp_path, one := Recorded(), validation=torch.utils.data.DataLoader(whole, batch_size=34), max_epochs=1)
    assert several.by_step == [(5, pytest.approx(one.by_step[0][1]))]


@pytest.mark.parametrize(
    ("sanity", "steps"),
    [(0, [5, 10]), (2, [5, 10]), (4, [0, 5, 10]), (-1, [0, 5, 10])],  # of four batches
)
def test_the_sanity_check_is_recorded_if_it_is_a_whole_validation(tmp_path, sanity, steps):
    fitted(tmp_path, units := Recorded(), num_sanity_val_steps=sanity)
    assert [step for step, _ in units.by_step] == steps


def test_how_often_is_an_option_that_survives_a_checkpoint(tmp_path):
    module, runner = fitted(tmp_path, units := Recorded(every_n_validations=2), max_epochs=4)
    assert [step for step, _ in units.by_step] == [5, 15]
    runner.save_checkpoint(tmp_path / "half.ckpt")
    rest = trainer(tmp_path, after := Recorded(every_n_validations=2), max_epochs=7)
    rest.fit(module, loader(), loader(), ckpt_path=tmp_path / "half.ckpt", weights_only=True)
    assert [step for step, _ in after.by_step] == [25, 35]
    with pytest.raises(ConfigError, match="every_n_validations=0"):
        UnitStatistics(every_n_validations=0)


def test_a_resumed_run_does_not_record_again_what_it_was_saved_with(tmp_path):
    module, runner = fitted(tmp_path, Recorded(), max_epochs=2)
    runner.save_checkpoint(tmp_path / "half.ckpt")
    rest = trainer(tmp_path, after := Recorded(), max_epochs=3, num_sanity_val_steps=-1)
    rest.fit(module, loader(), loader(), ckpt_path=tmp_path / "half.ckpt", weights_only=True)
    assert [step for step, _ in after.by_step] == [15]


def test_a_part_may_be_looked_at_alone(tmp_path):
    fitted(tmp_path, units := UnitStatistics(submodule="network"), max_epochs=1)
    assert "dead_units/00_relu" in units.latest
    with pytest.raises(ConfigError, match="submodule=netwrok: Classifier has no such part"):
        fitted(tmp_path, UnitStatistics(submodule="netwrok"), max_epochs=1)


def test_without_validation_one_sentence_says_why_nothing_is_recorded(tmp_path, caplog):
    runner = trainer(tmp_path, units := UnitStatistics())
    runner.fit(Adversarial(), loader())
    assert units.latest == {}
    (message,) = [record.message for record in caplog.records if record.name.startswith("gradflow")]
    assert message.startswith("UnitStatistics listens to validation, of which there is none")


def test_what_cannot_be_measured_is_said_once(tmp_path, caplog):
    network = nn.Sequential(nn.Flatten(), nn.Linear(192, 8), nn.Unflatten(1, (2, 4)), nn.Tanh(), nn.Flatten())
    fitted(tmp_path, units := UnitStatistics(), module=Classifier(nn.Sequential(network, nn.Linear(8, 3))))
    assert units.latest == {}
    (message,) = [record.message for record in caplog.records if record.name.startswith("gradflow")]
    assert message.startswith("UnitStatistics: units of network.0.3 are not measured: `unflatten` merges or splits")


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed", "64-true"])
def test_any_precision(tmp_path, precision):
    fitted(tmp_path, units := UnitStatistics(), precision=precision, max_epochs=1)
    assert units.latest[f"dead_units/{SITE}"] >= 2 / 6


def test_a_frozen_backbone_is_measured_all_the_same(tmp_path):
    module = Classifier()
    module.network.conv.requires_grad_(False)
    fitted(tmp_path, units := UnitStatistics(), module=module, max_epochs=1)
    assert units.latest[f"dead_units/{SITE}"] >= 2 / 6


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")  # that the compiler asks for
@pytest.mark.parametrize("whole", [False, True], ids=["network", "module"])
def test_compiled_modules_are_measured_uncompiled(tmp_path, whole):
    fitted(tmp_path, plain := UnitStatistics(), max_epochs=1)
    torch.manual_seed(0)
    module = Classifier()
    if whole:
        module = torch.compile(module, backend="eager")
    else:
        module.network.compile(backend="eager")
    runner = trainer(tmp_path, units := UnitStatistics(), max_epochs=1)
    runner.fit(module, loader(shuffle=True), loader(batch_size=7))
    assert units.latest.keys() == plain.latest.keys()
    assert units.latest == pytest.approx(plain.latest, abs=0.02)
