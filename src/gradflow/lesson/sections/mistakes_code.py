"""The mistakes' lines of PyTorch, failing and mended."""

from typing import NamedTuple


class Lines(NamedTuple):
    """What stands in the network or the loop, with the mistake and without it."""

    failing: str
    mended: str


CODE = {
    "deep_sigmoid": Lines(
        "for _ in range(20):\n    layers += [nn.Linear(64, 64), nn.Sigmoid()]",
        "for _ in range(20):\n    layers += [nn.Linear(64, 64), nn.BatchNorm1d(64),\n               nn.Sigmoid()]",
    ),
    "weights": Lines(
        "layer = nn.Linear(64, 64)\nactivation = nn.ReLU()",
        "layer = nn.Linear(64, 64)\nactivation = nn.ReLU()\n"
        'nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")\nnn.init.zeros_(layer.bias)',
    ),
    "output": Lines(
        "network = nn.Sequential(hidden, nn.Linear(64, 10), nn.ReLU())",
        "network = nn.Sequential(hidden, nn.Linear(64, 10))",
    ),
    "loss": Lines(
        "probabilities = torch.softmax(network(x), dim=1)\nloss = F.cross_entropy(probabilities, y)",
        "loss = F.cross_entropy(network(x), y)",
    ),
    "rate": Lines(
        "network, rate = make_network(), 0.05\ntrain(network, rate)",
        "network, rate = make_network(), 0.05\ntrain(network, rate)\n"
        "# dead: off for every sample\n"
        "while (hidden(network, x) <= 0).all(dim=0).float().mean() > 0.2:\n"
        "    network, rate = make_network(), rate / 10\n    train(network, rate)",
    ),
}
