"""Units are found on the axis that a layer put them on, wherever operations move it; where it is lost, that is said."""

import pytest
import torch
from torch import nn

from gradflow.measure.unit_pass import UnitPass

N, T, U = 2, 5, 6


class After(nn.Module):
    """An activation after some operations on a layer's output, of whose six units three never leave -1."""

    def __init__(self, layer, operations):
        super().__init__()
        self.layer = layer
        self.operations = operations
        self.other = nn.Linear(U, U)
        self.positions = nn.Parameter(torch.zeros(T, U))
        with torch.no_grad():
            layer.bias.copy_(torch.tensor([-1.0, 1, -1, 1, -1, 1]))
            layer.weight.view(U, -1)[::2] = 0

    def forward(self, x):
        return torch.relu(self.operations(self, self.layer(x)))


def measured(layer, x, operations, **options):
    """What a pass finds, and what it has to say."""
    unit_pass = UnitPass(After(layer, operations).eval(), **options)
    with torch.inference_mode(), unit_pass:
        unit_pass.network(x)
    return unit_pass.values(), unit_pass.remarks()


def after_linear(operations, **options):
    torch.manual_seed(0)
    return measured(nn.Linear(3, U), torch.randn(N, T, 3), operations, **options)


def after_conv(operations, **options):
    torch.manual_seed(0)
    return measured(nn.Conv2d(3, U, 1), torch.randn(N, 3, 4, 7), operations, **options)


@pytest.mark.parametrize(
    "operations",
    [
        lambda m, z: z,
        lambda m, z: z + m.positions,
        lambda m, z: 2 * z / (1 + z.abs()),
        lambda m, z: z.add_(0.0).mul_(1.0),
        lambda m, z: z + torch.sigmoid(z[..., :1]),  # one number for all units
        lambda m, z: z.transpose(1, 2),
        lambda m, z: z.permute(2, 0, 1),
        lambda m, z: torch.movedim(z, -1, 0),
        lambda m, z: z[0].T,
        lambda m, z: z.mT,
        lambda m, z: z.reshape(N * T, U),
        lambda m, z: z.view(N, T, 1, U).squeeze(2),
        lambda m, z: z.flatten(0, 1).unflatten(0, (N, T)),
        lambda m, z: z[:, 0],
        lambda m, z: z[:, None, 1:3],
        lambda m, z: z[..., None],
        lambda m, z: z[torch.tensor([True, False])],
        lambda m, z: z.mean(1),
        lambda m, z: z.amax(dim=(0, 1), keepdim=True),
        lambda m, z: z.max(dim=1).values,
        lambda m, z: z.unbind(1)[2],
        lambda m, z: z.select(0, 1),
        lambda m, z: torch.cat([z, z], dim=1),
        lambda m, z: torch.cat([z, z], dim=2),
        lambda m, z: torch.stack([z, z]),
        lambda m, z: z.chunk(2, dim=1)[0],
        lambda m, z: z[0].expand(4, T, U),
        lambda m, z: nn.functional.dropout(z, training=False),
        lambda m, z: z * torch.softmax(z @ z.transpose(1, 2), -1).mean(-1, keepdim=True),
        lambda m, z: torch.softmax(z @ z.transpose(1, 2), -1).sum(1, keepdim=True).mT * 0 + z,
        lambda m, z: z - z.detach().mean(-1, keepdim=True) * 0,
        lambda m, z: torch.einsum("ntu,ts->nsu", z, torch.eye(T)),
    ],
)
def test_three_of_six_units_of_tokens_are_dead_wherever_their_axis_goes(operations):
    values, remarks = after_linear(operations)
    assert remarks == []
    site = next(tag for tag in values if tag.endswith("relu"))
    assert values[site] == 0.5


@pytest.mark.parametrize(
    "operations",
    [
        lambda m, z: z,
        lambda m, z: nn.functional.max_pool2d(z, 2),
        lambda m, z: nn.functional.adaptive_avg_pool2d(z, 1).flatten(1),
        lambda m, z: nn.functional.interpolate(z, scale_factor=2.0),
        lambda m, z: z.permute(0, 2, 3, 1),
        lambda m, z: z.flatten(2).transpose(1, 2),
        lambda m, z: z.mean((2, 3)),
        lambda m, z: z.mean((2, 3), keepdim=True) + z,
        lambda m, z: z[:, :, ::2, ::2],
        lambda m, z: nn.functional.batch_norm(z, torch.zeros(U), torch.ones(U)),
        lambda m, z: nn.functional.layer_norm(z, z.shape[1:]) * 0 + z,
        lambda m, z: z.to(memory_format=torch.channels_last).double().float(),
        lambda m, z: z[0],
    ],
)
def test_three_of_six_channels_are_dead_wherever_their_axis_goes(operations):
    values, remarks = after_conv(operations)
    assert remarks == []
    assert values["dead_units/00_relu"] == 0.5


@pytest.mark.parametrize(
    ("operations", "units", "dead"),
    [
        (lambda m, z: nn.functional.linear(z.transpose(1, 2), torch.zeros(4, T)), 4, 1.0),  # mixes tokens
        (lambda m, z: z.transpose(1, 2) @ nn.Parameter(torch.zeros(T, 4)), 4, 1.0),
        (lambda m, z: torch.einsum("ntu,ud->ntd", z, nn.Parameter(torch.ones(U, 3))) * 0 - 1, 3, 1.0),
        (lambda m, z: nn.functional.layer_norm(z.transpose(1, 2), (T,)), T, 0.0),
        (lambda m, z: nn.functional.scaled_dot_product_attention(z, z, z), U, 0.5),
        (lambda m, z: nn.functional.pad(z, (0, 2), value=-1.0), U + 2, 5 / 8),
    ],
)
def test_layers_and_products_with_weights_make_new_units(operations, units, dead):
    values, remarks = after_linear(operations)
    assert remarks == []
    assert values["dead_units/00_relu"] == dead


@pytest.mark.parametrize(
    ("operations", "why"),
    [
        (lambda m, z: z.reshape(N, T, 2, 3), "`reshape` merges or splits the axis of the units"),
        (lambda m, z: z.flatten(1), "`flatten` merges or splits the axis of the units"),
        (
            lambda m, z: z[:, :1] + z.transpose(1, 2)[..., :1],
            "`add` combines tensors whose units lie on different axes",
        ),
        (lambda m, z: torch.cat([z[:, :, :T], z.transpose(1, 2)[:, :T]]), "`cat` joins tensors"),
        (lambda m, z: nn.functional.pixel_shuffle(z.permute(0, 2, 1)[:, :4, :, None], 2), "`pixel_shuffle` changes"),
        (lambda m, z: torch.cdist(z, z), "`cdist` is not followed"),
        (lambda m, z: z @ z.mT, "no layer comes before it"),
        (lambda m, z: torch.ones(3, 4), "no layer comes before it"),
    ],
)
def test_where_the_axis_is_lost_the_site_is_named_and_not_guessed(operations, why):
    values, (remark,) = after_linear(operations)
    assert not any(tag.endswith("00_relu") for tag in values)
    assert remark.startswith("units of relu are not measured: ")
    assert why in remark
    assert "units={'relu': 1}" in remark


def test_the_option_units_says_it_instead():
    def split(m, z):
        return z.reshape(N, T, 2, 3)

    values, remarks = after_linear(split, units={"re*": -1})
    assert remarks == []
    assert values["dead_units/00_relu"] == 0  # each of three columns has both kinds
    assert after_linear(split, units={"other": 1, "relu": 2})[0]["dead_units/00_relu"] == 0
    assert after_linear(lambda m, z: z, units={"relu": None}) == ({}, [])
    values, (remark,) = after_linear(lambda m, z: z, units={"relu": 3})
    assert values == {}
    assert "names an axis that tensors of 3 axes do not have" in remark
