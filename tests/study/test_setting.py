"""Data and network of a study in words."""

import pytest
import yaml
from forged_runs import write_run

from gradflow.study.records import study_runs
from gradflow.study.setting import setting


def configured(study, config, **run):
    folder = write_run(study, **run)
    (folder / ".hydra").mkdir()
    (folder / ".hydra" / "config.yaml").write_text(config if isinstance(config, str) else yaml.safe_dump(config))


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"data": {"name": "digits"}, "model": {"name": "conv"}, "module": {}}, "digits, conv stack"),
        ({"data": {"name": "cifar10"}, "model": {"name": "torchvision", "arch": "resnet18"}}, "CIFAR-10, resnet18"),
        ({"data": {"name": "custom", "_target_": "my.Spirals"}, "module": {"_target_": "my.Lit"}}, "Spirals, Lit"),
        ("torn: [", ""),
    ],
)
def test_data_and_network_are_named(tmp_path, config, words):
    for blocks in (1, 4):
        configured(tmp_path, config, blocks=blocks)
    assert setting(tmp_path, study_runs(tmp_path)) == words


def test_what_varies_is_no_setting_and_a_single_depth_is(tmp_path):
    for name in ("digits", "mnist"):
        configured(tmp_path, {"data": {"name": name}, "model": {"name": "mlp"}}, blocks=4, axes={"data": name})
    assert setting(tmp_path, study_runs(tmp_path)) == "MLP, 4 blocks"
