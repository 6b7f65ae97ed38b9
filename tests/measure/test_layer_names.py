import torch
from own_networks import Plain
from torch import nn

from gradflow.measure.layer_names import layer_names
from gradflow.models.mlp import MLP


def test_other_peoples_layers_are_named_as_they_are_recorded():
    assert layer_names(Plain(1, 10).eval(), torch.zeros(2, 1, 8, 8)) == [
        *("00_features.0", "01_features.3", "02_head"),
        *("00_features.2", "01_relu"),
    ]


def test_our_own_have_their_short_names():
    network = MLP((4,), 2, nn.ReLU, blocks=2, width=3)
    assert layer_names(network, torch.zeros(2, 4)) == ["01_block", "02_block", "03_head"]
