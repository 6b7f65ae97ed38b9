import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gradflow.activations.maxout import Maxout
from gradflow.errors import ConfigError
from gradflow.models.resnet import ResNet

X = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def made(shape=(3, 8, 8), outputs=10, activation=nn.ReLU, *, blocks=1, width=8, **options):
    return ResNet(shape, outputs, activation, blocks=blocks, width=width, **options)


def size(network):
    return sum(p.numel() for p in network.parameters())


def test_three_blocks_of_width_64_are_resnet_20():
    # Stem 3*16*9; per stage 2n or, where the channels double, 2n - 1 convolutions w*w*9 and one of w/2*w*9; two numbers
    # a channel for each of the 19 normalisations; head 64*10 + 10.
    convolutions = 432 + 9 * (6 * 16**2 + 16 * 32 + 5 * 32**2 + 32 * 64 + 5 * 64**2)
    normalisations = 2 * (7 * 16 + 6 * 32 + 6 * 64)
    network = made((3, 32, 32), blocks=3, width=64)
    assert size(network) == convolutions + normalisations + 650 == 269722
    assert len([one for one in network.modules() if isinstance(one, nn.Conv2d)]) + 1 == 6 * 3 + 2


def test_a_projection_adds_a_convolution_and_its_normalisation_twice():
    plain, projected = (made((3, 32, 32), blocks=3, width=64, shortcut=one) for one in ("identity", "projection"))
    assert size(projected) - size(plain) == 16 * 32 + 32 * 64 + 2 * (32 + 64)


@pytest.mark.parametrize("preactivation", [False, True])
def test_layers_are_in_forward_order_with_the_activation_that_follows(preactivation):
    network = made(shortcut="projection", preactivation=preactivation)
    layers = network.layers
    assert [layer.name.partition("_")[2] for layer in layers] == [
        *("stem", "conv", "conv", "shortcut", "conv", "conv", "shortcut", "conv", "conv", "head")
    ]
    assert [layer.name[:2] for layer in layers] == [f"{i:02d}" for i in range(10)]
    called = []
    for layer in layers:
        for part in (layer.affine, layer.activation):
            if part is not None:
                part.register_forward_hook(lambda module, *_: called.append(module))
    network(X)
    path = [part for one in layers if one.hidden for part in (one.affine, one.activation)]
    assert [one for one in called if one in path] == path


def by_hand(network, x, activation, *, preactivation):
    """The formulas of both papers, in evaluation mode."""

    def norm(one, z):
        return F.batch_norm(z, one.running_mean, one.running_var, one.weight, one.bias)

    x = F.conv2d(x, network.stem.weight, padding=1)
    x = x if preactivation else activation(norm(network.norm, x))
    for block in network.blocks:
        stride = block.conv1.stride[0]
        z = activation(norm(block.norm1, x)) if preactivation else x
        z = F.conv2d(z, block.conv1.weight, stride=stride, padding=1)
        z = activation(norm(block.norm2 if preactivation else block.norm1, z))
        z = F.conv2d(z, block.conv2.weight, padding=1)
        z = z if preactivation else norm(block.norm2, z)
        kept = torch.zeros_like(z)
        kept[:, : x.shape[1]] = x[:, :, ::stride, ::stride]
        x = kept + z if preactivation else activation(kept + z)
    x = activation(norm(network.norm, x)) if preactivation else x
    return F.linear(x.mean((2, 3)), network.head.weight, network.head.bias)


@pytest.mark.parametrize("preactivation", [False, True])
def test_it_computes_what_the_papers_say(preactivation):
    network = made(activation=nn.Tanh, blocks=2, preactivation=preactivation)
    network(X)  # so that the statistics are no longer 0 and 1
    network.eval()
    with torch.no_grad():
        assert torch.allclose(network(X), by_hand(network, X, torch.tanh, preactivation=preactivation), atol=1e-6)


@pytest.mark.parametrize("preactivation", [False, True])
@pytest.mark.parametrize("norm", ["none", "batch", "layer", "group"])
@pytest.mark.parametrize("shortcut", ["identity", "projection"])
def test_an_activation_that_works_in_place_changes_nothing(preactivation, norm, shortcut):
    options = {"preactivation": preactivation, "norm": norm, "shortcut": shortcut, "bias": True}
    usual, in_place = made(**options), made(activation=lambda: nn.ReLU(inplace=True), **options)
    in_place.load_state_dict(usual.state_dict())
    outputs = [network(X) for network in (usual, in_place)]
    assert torch.equal(*outputs)
    for output in outputs:
        output.square().sum().backward()
    assert all(torch.equal(p.grad, q.grad) for p, q in zip(usual.parameters(), in_place.parameters(), strict=True))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"width": 6}, "width=6: the stages have a quarter, half and all of it; use a multiple of 4"),
        ({"width": [8, 8]}, "takes one number"),
        ({"blocks": 0}, "blocks=0"),
        ({"shortcut": "A"}, "model.shortcut=A: choose one of identity, projection"),
        ({"shape": (64,)}, "model=resnet: needs images"),
        ({"activation": Maxout}, "takes 2 inputs per output"),
        ({"norm": "instance"}, "model.norm=instance"),
    ],
)
def test_what_makes_no_sense_is_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        made(**options)
