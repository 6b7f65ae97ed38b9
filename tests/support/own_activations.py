"""Activations as a user would write them, good and bad: `activation._target_=own_activations.NAME`."""

from collections.abc import Callable
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, distributed, nn


class Bent(nn.Module):
    """A good one, with an argument."""

    def __init__(self, bend: float = 0.5) -> None:
        super().__init__()
        self.bend = bend

    def forward(self, z: Tensor) -> Tensor:
        return torch.where(z > 0, z, self.bend * z)


class Twice(nn.Module):
    """Says that its slope is 3."""

    def forward(self, z: Tensor) -> Tensor:
        return 2 * z

    def slope(self, z: Tensor) -> Tensor:
        return torch.full_like(z, 3.0)


class Knotted(nn.Module):
    """Arguments with types of many kinds, some of them sloppy."""

    def __init__(
        self,
        knots: tuple[float, ...] = (0.0, 1.0),
        kind: Literal["soft", "hard"] = "soft",
        count: Annotated[int, Field(ge=1, le=8)] = 2,
        table: dict[str, int] | None = None,
        scale: float = None,  # noqa: RUF013
        inner: Callable[[Tensor], Tensor] | None = None,
        norm: str = "mine",
        free=None,
    ) -> None:
        super().__init__()

    def forward(self, z: Tensor) -> Tensor:
        return z.relu()


class Unbuildable(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        raise RuntimeError("this one cannot be built")


class Halving(nn.Module):
    """Drops half of the units without saying so by `pieces`."""

    def forward(self, z: Tensor) -> Tensor:
        return z[:, ::2]


class BreakingAtOnce(nn.Module):
    """Builds and evaluates, but does not train."""

    def forward(self, z: Tensor) -> Tensor:
        if self.training:
            raise RuntimeError("cannot be trained")
        return z.relu()


class Breaking(nn.Module):
    """Raises `error`, as long as there is one, in every forward pass of training but the first `after`.

    Not on batches of two, with which everything is tried before training.
    """

    error: ClassVar[BaseException | None] = None
    after: ClassVar[int] = 0
    seen: ClassVar[int] = 0

    def forward(self, z: Tensor) -> Tensor:
        if self.training and len(z) > 2 and self.error is not None:
            Breaking.seen += 1
            if Breaking.seen > self.after:
                raise self.error
        return z.relu()


class BreakingElsewhere(nn.Module):
    """Raises in training, in the second of several processes."""

    def forward(self, z: Tensor) -> Tensor:
        if self.training and distributed.is_initialized() and distributed.get_rank() == 1:
            raise RuntimeError("broken in process 1")
        return z.relu()
