"""Networks as a user would write them: `model._target_=own_networks.NAME`."""

from torch import nn

from gradflow.models.mlp import MLP


class OwnNetwork(MLP):
    """A network outside the package; `norm` says nothing about what it is made of."""

    def __init__(self, *, extra: str = "none", norm: str = "none", **options):
        super().__init__(**options)
        made = {"batch": nn.BatchNorm1d(4), "layer": nn.LayerNorm(4), "none": nn.Identity()}
        self.extra = nn.Sequential(nn.Identity(), made[extra])


class Untrainable(MLP):
    """Evaluates, but does not train."""

    def forward(self, x):
        if self.training:
            raise ValueError("no training")
        return super().forward(x)
