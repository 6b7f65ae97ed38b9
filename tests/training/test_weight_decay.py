"""Weight decay acts on weights and leaves alone what an activation learns; without either nothing changes."""

import copy
from functools import partial

import pytest
import torch
from finished_runs import left_by, only_run, record, weights
from interruptions import interrupt_after
from torch import nn
from torch.optim import SGD, Adam, AdamW

from gradflow.activations import Maxout
from gradflow.models.mlp import MLP
from gradflow.runs.record import write_record
from gradflow.training.weight_decay import activation_parameters, optimizer_for

SMALL = ("model=mlp", "width=8", "blocks=2", "trainer=cpu", "callbacks=none", "trainer.max_epochs=2", "threads=1")
DECAYS = ("optimizer=adamw", "optimizer.lr=0.01", "optimizer.weight_decay=5")


class Bend(nn.Module):
    """What a user writes: z + a tanh(z) / (1 + b²), with its parameters in a list."""

    def __init__(self):
        super().__init__()
        self.both = nn.ParameterList([nn.Parameter(torch.tensor(0.5)), nn.Parameter(torch.ones(8))])

    def forward(self, z):
        return z + self.both[0] * torch.tanh(z) / (1 + self.both[1].square())


def network(activation):
    torch.manual_seed(0)
    return MLP((3,), 2, activation, blocks=2, width=8, norm="batch")


@pytest.mark.parametrize("activation", [nn.PReLU, Bend])
@pytest.mark.parametrize("kind", [SGD, AdamW])
def test_without_a_gradient_only_what_is_decayed_shrinks(activation, kind):
    made = network(activation)
    before = {name: value.detach().clone() for name, value in made.named_parameters()}
    optimizer = optimizer_for(made, partial(kind, lr=0.1, weight_decay=0.5))
    for parameter in made.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    for name, value in made.named_parameters():
        kept = 1.0 if ".activation." in name else 0.95  # 1 - lr · decay
        assert torch.allclose(value, kept * before[name], rtol=1e-6, atol=0), name


def test_every_parameter_is_optimised_once():
    made = network(nn.PReLU)
    groups = optimizer_for(made, partial(SGD, lr=0.1, weight_decay=0.5)).param_groups
    assert [group["weight_decay"] for group in groups] == [0.5, 0.0]
    found = [id(parameter) for group in groups for parameter in group["params"]]
    assert sorted(found) == sorted(map(id, made.parameters()))
    assert [id(parameter) for parameter in groups[1]["params"]] == [*map(id, activation_parameters(made))]
    shared = nn.PReLU()
    assert len(activation_parameters(network(lambda: shared))) == 1


@pytest.mark.parametrize(
    ("activation", "options"),
    [
        (nn.ReLU, {"weight_decay": 0.5}),
        (Maxout, {"weight_decay": 0.5}),  # its pieces are the Linear layer's
        (nn.PReLU, {"weight_decay": 0.0}),
        (nn.PReLU, {}),
    ],
)
def test_elsewhere_there_is_one_group_as_ever(activation, options):
    made = network(activation)
    optimizer = optimizer_for(made, partial(Adam, lr=0.1, **options))
    plain = Adam(copy.deepcopy(made).parameters(), lr=0.1, **options)
    assert str(optimizer.state_dict()) == str(plain.state_dict())


def test_a_run_spares_the_slope_and_goes_on_exactly(command, tmp_path, monkeypatch):
    options = (*SMALL, "activation=prelu", "trainer.max_epochs=4", *DECAYS)
    whole = tmp_path / "whole"
    assert command(*options, f"output_dir={whole}/outputs").status == 0
    slopes = [float(value) for name, value in weights(only_run(whole)).items() if ".activation." in name]
    assert len(slopes) == 2
    assert min(slopes) > 0.1  # 0.25 · 0.95^152 = 1e-4 if they decayed
    assert interrupt_after(command, monkeypatch, 3, *options).status == 130
    assert "resuming after epoch 2" in command(*options).out
    assert left_by(only_run(tmp_path)) == left_by(only_run(whole))


@pytest.mark.parametrize(("activation", "joins"), [("prelu", False), ("relu", True)])
def test_seeds_of_before_this_rule_are_not_averaged_with_those_of_now(command, tmp_path, activation, joins):
    options = (*SMALL, f"activation={activation}", *DECAYS)
    assert command(*options).status == 0
    before = record(only_run(tmp_path))
    before["content"].pop("optimizer.weight_decay", None)
    write_record(only_run(tmp_path), before)
    outcome = command(*options, "seed=1")
    assert outcome.status == (0 if joins else 2)
    assert joins or "optimizer.weight_decay=5: what it names has changed since" in outcome.err
