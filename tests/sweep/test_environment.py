"""Variables and ~ in paths; numbers that come from the environment."""

import pytest
from omegaconf import OmegaConf

from gradflow.errors import ConfigError
from gradflow.runs.record import read_record
from gradflow.sweep.environment import expanded, read_numbers


def test_a_path_is_expanded_once(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("WHERE", "/disk")
    monkeypatch.setenv("AGAIN", "/a/$WHERE")
    assert expanded("output_dir", "~/x") == "/home/me/x"
    assert expanded("output_dir", "~/x", home=False) == "~/x"
    assert expanded("output_dir", "$WHERE/${HOME}/100$") == "/disk//home/me/100$"
    for text, reason in {"$NOT_SET/x": "NOT_SET is not set", "$AGAIN": "there is a [$] again"}.items():
        with pytest.raises(ConfigError, match=rf"^output_dir=.*{reason}"):
            expanded("output_dir", text)


@pytest.mark.parametrize(
    ("text", "value"), [("3", 3), ("-7", -7), ("0.5", 0.5), ("1e-3", 0.001), ("007", 7), ("3x", "3x"), ("", "")]
)
def test_the_text_of_a_number_in_the_environment_is_that_number(monkeypatch, text, value):
    monkeypatch.setenv("VALUE", text)
    cfg = OmegaConf.create({"a": "${oc.env:VALUE}", "b": ["${oc.env:VALUE,1}"], "c": "x${oc.env:VALUE}", "d": "3"})
    read_numbers(cfg)
    assert (cfg.a, cfg.b[0], cfg.c, cfg.d) == (value, value, f"x{text}", "3")
    assert type(cfg.a) is type(value)


def test_names_stay_texts(monkeypatch):
    monkeypatch.setenv("VALUE", "2024")
    cfg = OmegaConf.create({"study": "${oc.env:VALUE}", "output_dir": "${oc.env:VALUE}", "seed": "${oc.env:NONE,5}"})
    read_numbers(cfg)
    assert (cfg.study, cfg.output_dir, cfg.seed) == ("2024", "2024", 5)


def test_a_variable_that_is_not_set_is_named(command, tmp_path):
    for typed, name in (("seed='${oc.env:NOT_SET}'", "NOT_SET"), ("'output_dir=$NOT_SET/x'", "NOT_SET")):
        outcome = command(typed.replace("'", ""))
        assert outcome.status == 2
        assert outcome.err.count("\n") == 1
        assert f"the environment variable {name} is not set; set it" in outcome.err
    assert not list(tmp_path.iterdir())


def test_everything_of_a_run_lands_in_one_folder(command, tmp_path, tiny, monkeypatch):
    monkeypatch.setenv("HERE", str(tmp_path / "here"))
    monkeypatch.setenv("TASK", "3")
    typed = ("output_dir=$HERE/x", "study=a$TASK", "seed=${oc.env:TASK}", "blocks=1", "model=mlp")
    outcome = command(*typed, *tiny)
    assert outcome.status == 0, outcome
    (folder,) = (tmp_path / "here" / "x" / "a3").glob("*/seed=3")
    assert {"run.json", "train.log", ".hydra", "checkpoints"} <= {path.name for path in folder.iterdir()}
    assert list(folder.glob("events.*"))
    assert read_record(folder)["state"] == "finished"
    assert [path.name for path in tmp_path.iterdir()] == ["here"]
    assert "0 runs to train (1 already done)" in command("resume=$HERE/x/a3").out
