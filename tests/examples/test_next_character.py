"""The example of a module of one's own: it learns, its blocks and activation are those of the sweep."""

import sys

import pytest
from finished_runs import records
from torch import nn

from gradflow import CONF
from gradflow.runs.events import curves


@pytest.fixture
def example(monkeypatch):
    monkeypatch.syspath_prepend(str(CONF.parent / "examples"))
    import next_character

    yield next_character
    sys.modules.pop("next_character")


def test_it_is_swept_and_learns(example, command, tmp_path):
    small = ("activation=relu,tanh", "blocks=1,2", "seed=0", "width=8", "trainer.max_epochs=2", "+data.characters=6000")
    outcome = command(*example.SWEEP, *small, "callbacks.pictures=null", "trainer=cpu")
    assert outcome.status == 0, outcome.err
    found = records(tmp_path)
    assert {(one["activation"], one["blocks"]) for one in found.values()} == {
        (a, b) for a in ("relu", "tanh") for b in (1, 2)
    }
    letters = len(example.Sentences(6000).alphabet)
    for run, one in found.items():
        module = example.NextCharacter(letters, nn.ReLU, one["blocks"], 8, None)
        assert one["parameters"] == sum(parameter.numel() for parameter in module.parameters())
        losses = curves(run)["train/loss"].values
        assert losses[1] < losses[0]
        assert one["metrics"]["test/acc_at_best"] > 1 / letters
        assert (
            len([tag for tag in one["metrics"] if tag.startswith("dead_units/") and "total" not in tag])
            == one["blocks"]
        )


def test_a_verb_agrees_with_its_subject(example):
    sentences = example.written(5000).split(". ")[:-1]
    assert len(sentences) > 50
    for sentence in sentences:
        words = sentence.split()
        is_many = words[0] in ("two", "some")
        assert words[2].endswith("s") == is_many
        assert words[6].endswith("s") != is_many


def test_no_character_sees_a_later_one(example):
    import torch

    torch.manual_seed(0)
    module = example.NextCharacter(20, nn.GELU, 2, 8, None).eval()
    letters = torch.randint(20, (1, 12))
    changed = letters.clone()
    changed[0, 7:] = (changed[0, 7:] + 1) % 20
    with torch.no_grad():
        one, other = module(letters), module(changed)
    assert torch.equal(one[0, :7], other[0, :7])
    assert not torch.equal(one[0, 7:], other[0, 7:])
