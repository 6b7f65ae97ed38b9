"""Maxout takes the largest of neighbouring channels."""

import pytest
import torch
from torch import nn

from gradflow.activations import (
    Maxout,
    pieces,
)


def test_maxout_takes_the_largest_of_neighbouring_channels():
    z = torch.tensor([[1.0, 5.0, -2.0, -3.0]])
    assert Maxout()(z).tolist() == [[5.0, -2.0]]
    assert Maxout(4)(z.view(1, 4, 1, 1)).shape == (1, 1, 1, 1)
    assert (pieces(Maxout(4)), pieces(nn.ReLU())) == (4, 1)
    with pytest.raises(ValueError, match="pieces=0"):
        Maxout(0)
