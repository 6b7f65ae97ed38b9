"""Options in a folder `conf` where the user stands are found; those whose names are taken are named."""

import shutil

import hydra
import pytest

from gradflow import CONF, config_folders


@pytest.fixture(autouse=True)
def own(tmp_path, monkeypatch):
    """The folder `conf/activation` of a user who stands beside it."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "conf" / "activation"
    folder.mkdir(parents=True)
    return folder


def composed(folder, *overrides, name="train"):
    with hydra.initialize_config_dir(str(folder), version_base="1.3"):
        return hydra.compose(name, overrides=list(overrides))


def test_options_of_the_users_own_come_after_the_packages(own):
    (own / "mine.yaml").write_text("_target_: mine.Sharp\n")
    (own / "relu.yaml").write_text("_target_: mine.NoReLU\n")
    (own.parent / "train.yaml").write_text("blocks: 77\n")
    assert composed(CONF, "activation=mine").activation._target_ == "mine.Sharp"
    cfg = composed(CONF)
    assert (cfg.blocks, cfg.activation._target_) == (4, "torch.nn.ReLU")
    assert config_folders.clashes() == (
        "conf/activation/relu.yaml, conf/train.yaml: not used, as gradflow has options of the same name; give yours "
        "another name"
    )


def test_of_many_clashes_three_are_named(own):
    for name in ("relu", "elu", "gelu", "tanh", "selu"):
        (own / f"{name}.yaml").write_text("# another\n")
    start = "conf/activation/elu.yaml, conf/activation/gelu.yaml, conf/activation/relu.yaml and 2 more: not used"
    assert str(config_folders.clashes()).startswith(start)


def test_equal_files_do_not_clash(own):
    assert config_folders.folders() == [CONF, own.parent]
    assert config_folders.clashes() is None
    shutil.copy(CONF / "activation" / "relu.yaml", own)
    assert config_folders.clashes() is None


def test_in_a_checkout_there_is_one_folder(monkeypatch):
    monkeypatch.chdir(CONF.parent)
    assert config_folders.folders() == [CONF]
    assert config_folders.clashes() is None


def test_other_programs_that_use_hydra_do_not_see_the_folder(own, tmp_path):
    (own / "mine.yaml").write_text("_target_: mine.Sharp\n")
    other = tmp_path / "other"
    other.mkdir()
    (other / "train.yaml").write_text("seed: 0\n")
    assert composed(other, "+activation=mine").activation == "mine"  # a value, as there is no such group
