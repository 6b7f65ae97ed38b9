import pytest
import torch
import torchvision
from torch import nn

from gradflow.errors import ConfigError
from gradflow.models.torchvision_networks import classifier

SMALLEST = "squeezenet1_1"


def stem_of(network):
    """The modules before the second convolution, which compute something."""
    found = []
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and any(isinstance(one, nn.Conv2d) for one in found):
            return found
        found += [module] if isinstance(module, nn.Conv2d | nn.MaxPool2d | nn.Identity) else []
    return found


def test_it_is_torchvisions_network_with_as_many_outputs_as_classes():
    ours = classifier((3, 32, 32), 7, arch="resnet18")
    theirs = torchvision.models.resnet18(num_classes=7)
    assert {name: value.shape for name, value in ours.state_dict().items()} == {
        name: value.shape for name, value in theirs.state_dict().items()
    }


def test_the_first_convolution_has_the_channels_of_the_images():
    conv, pooling = stem_of(classifier((1, 32, 32), 10, arch=SMALLEST))
    assert (conv.in_channels, conv.kernel_size, conv.stride) == (1, (3, 3), (2, 2))
    assert isinstance(pooling, nn.MaxPool2d)


@pytest.mark.parametrize("arch", ["resnet18", SMALLEST, "shufflenet_v2_x0_5"])
def test_a_small_stem_keeps_the_size(arch):
    network = classifier((2, 8, 8), 10, arch=arch, stem="small")
    conv, pooling = stem_of(network)
    assert (conv.in_channels, conv.kernel_size, conv.stride, conv.padding) == (2, (3, 3), (1, 1), (1, 1))
    assert isinstance(pooling, nn.Identity)
    assert network(torch.zeros(2, 2, 8, 8)).shape == (2, 10)


def test_images_are_scaled_where_it_is_asked_for():
    network = classifier((1, 8, 8), 10, arch=SMALLEST, resize=32).eval()
    x = torch.rand(2, 1, 8, 8)
    scaled = nn.functional.interpolate(x, (32, 32), mode="bilinear")
    assert torch.equal(network(x), network.network(scaled))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"arch": "resnet17"}, r"model\.arch=resnet17: no classifier of torchvision; did you mean .*resnet18"),
        ({"arch": SMALLEST}, r"does not take images of 8x8 pixels; scale them by model\.resize=32"),
        ({"arch": "vit_b_16"}, r"does not take images of 8x8 pixels; scale them by model\.resize=16"),
        ({"arch": "swin_t", "stem": "small"}, r"arch=swin_t cuts patches; use model\.stem=original"),
        ({"arch": "vgg11", "stem": "small", "resize": 32}, "arch=vgg11 leaves the size as it is"),
        ({"stem": "tiny"}, r"model\.stem=tiny: choose one of original, small"),
        ({"resize": 0}, r"model\.resize=0"),
        ({"shape": (64,)}, "model=torchvision: needs images"),
    ],
)
def test_what_makes_no_sense_is_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        classifier(options.pop("shape", (1, 8, 8)), 10, **options)
