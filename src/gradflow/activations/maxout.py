"""Maxout: the activation that torch lacks, which takes several inputs for one output."""

from torch import Tensor, nn


class Maxout(nn.Module):
    """The largest of `pieces` linear functions: (N, pieces * units, ...) to (N, units, ...).

    Unit u takes its pieces from the input channels u * pieces to u * pieces + pieces - 1.

    Source: Goodfellow et al. 2013, arXiv:1302.4389.
    """

    def __init__(self, pieces: int = 2) -> None:
        super().__init__()
        if pieces < 1:
            raise ValueError(f"pieces={pieces}: a maxout unit needs at least one piece")
        self.pieces = pieces

    def forward(self, z: Tensor) -> Tensor:
        return z.unflatten(1, (-1, self.pieces)).amax(2)

    def extra_repr(self) -> str:
        return f"pieces={self.pieces}"


def pieces(activation: nn.Module) -> int:
    """How many times wider than its output this activation's input is: its attribute `pieces`, or 1 without one."""
    return int(getattr(activation, "pieces", 1))
