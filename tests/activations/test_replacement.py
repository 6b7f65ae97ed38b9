import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gradflow.activations import replace_activations
from gradflow.activations.maxout import Maxout
from gradflow.errors import ConfigError

X = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))


class Branches(nn.Module):
    """One module registered in two places, one that works in place, one in a dictionary, and a gate."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)
        self.act = nn.ReLU()
        self.again = nn.ModuleList([self.act])
        self.more = nn.ModuleDict({"swish": nn.SiLU(inplace=True)})
        self.gate = nn.Sequential(nn.Linear(4, 4), nn.Sigmoid())

    def forward(self, x):
        x = self.more["swish"](self.first(self.act(x)))
        return self.again[0](self.second(x)) * self.gate(x)


class Calls(nn.Module):
    def __init__(self, *functions):
        super().__init__()
        self.inner, self.functions = nn.Linear(4, 4), functions

    def forward(self, x):
        x = self.inner(x)
        for function in self.functions:
            x = function(x)
        return x


def test_each_place_gets_one_and_what_was_shared_stays_shared():
    network = Branches()
    assert replace_activations(network, nn.PReLU, inputs=X) == ["act", "again.0", "more.swish"]
    assert network.act is network.again[0]
    assert isinstance(network.more["swish"], nn.PReLU)
    assert sum(isinstance(one, nn.PReLU) for one in network.modules()) == 2


def test_a_gate_is_no_activation_unless_there_is_no_other_or_it_is_asked_for():
    assert replace_activations(Branches(), nn.Tanh, gates=True)[-1] == "gate.1"
    assert replace_activations(nn.Sequential(nn.Linear(4, 4), nn.Sigmoid()), nn.Tanh) == ["1"]


def test_the_new_one_works_in_place_only_where_the_old_one_did():
    network = Branches()
    replace_activations(network, lambda: nn.ELU(inplace=True))
    assert [network.act.inplace, network.more["swish"].inplace] == [False, True]


def test_it_is_where_the_weights_are_and_in_their_precision_and_mode():
    network = Branches().double().eval()
    replace_activations(network, nn.PReLU)
    assert network.act.weight.dtype == torch.float64
    assert not network.act.training


def test_the_network_computes_with_the_new_function():
    network = nn.Sequential(nn.Linear(4, 4), nn.ReLU())
    replace_activations(network, nn.Softsign)
    assert torch.equal(network(X), F.softsign(network[0](X)))


@pytest.mark.parametrize("given", ["relu", nn.GELU()])
def test_a_transformer_layer_computes_with_the_new_function_in_evaluation_too(given):
    layer = nn.TransformerEncoderLayer(4, 2, 8, dropout=0, batch_first=True, activation=given)
    other = nn.TransformerEncoderLayer(4, 2, 8, dropout=0, batch_first=True, activation=torch.tanh)
    other.load_state_dict(layer.state_dict())
    assert replace_activations(layer, nn.Tanh, inputs=X[None]) == ["activation"]
    with torch.no_grad():
        assert torch.allclose(layer.eval()(X[None]), other.eval()(X[None]), atol=1e-6)


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (Calls(F.gelu, torch.tanh), "gelu in its forward (Calls), tanh in its forward (Calls) as a function"),
        (nn.Sequential(Calls(torch.relu), nn.Tanh()), "calls relu in 0 (Calls) as a function"),
        (Calls(torch.sigmoid), "calls sigmoid in"),
        (nn.Sequential(Calls(torch.Tensor.relu_), nn.Sigmoid()), "calls relu in 0"),
        (Calls(), "has no activation module of torch.nn"),
        (nn.ReLU(), "is an activation itself"),
    ],
)
def test_what_cannot_be_replaced_is_named(network, message):
    with pytest.raises(ConfigError) as refusal:
        replace_activations(network, nn.ELU, inputs=X)
    assert message in str(refusal.value)


def test_a_function_that_is_the_new_activation_may_stay():
    assert replace_activations(Calls(F.relu), nn.ReLU, inputs=X) == []
    assert replace_activations(nn.Sequential(Calls(F.leaky_relu), nn.Tanh()), nn.LeakyReLU, inputs=X) == ["1"]
    with pytest.raises(ConfigError, match="leaky_relu in 0"):
        replace_activations(nn.Sequential(Calls(F.leaky_relu), nn.Tanh()), lambda: nn.LeakyReLU(0.2), inputs=X)


def test_looking_for_functions_changes_nothing():
    network = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Dropout())
    before = {name: value.clone() for name, value in network.state_dict().items()}
    state = torch.get_rng_state()
    replace_activations(network, nn.ReLU, inputs=X)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(one.training for one in network.modules())
    assert not any(one._forward_hooks or one._forward_pre_hooks for one in network.modules())
    assert torch.equal(state, torch.get_rng_state())


def test_an_activation_that_halves_its_input_cannot_stand_in():
    with pytest.raises(ConfigError, match="takes 2 inputs per output"):
        replace_activations(Branches(), Maxout)
