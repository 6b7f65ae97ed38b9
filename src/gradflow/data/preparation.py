"""What a network needs to know of its data set besides the weights: how samples become inputs, and outputs answers.

It is fixed by the training set and stored in every checkpoint, so that a trained network can be used without its data.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gradflow.data.arrays import Task
from gradflow.data.scaling import pixel_map, standardized
from gradflow.errors import ConfigError

STATE = "preparation"  # where a checkpoint keeps it, in the state of the data module


@dataclass(frozen=True, eq=False)  # comparing arrays has no truth value
class Preparation:
    """From the samples of a data set to the inputs of a network.

    Attributes:
        task: classification, binary, regression or multilabel.
        input_shape: of one sample, (channels, height, width) or (features,).
        num_outputs: number of classes, labels or targets; 1 for binary tasks.
        pixel_max: the value of a white pixel in uint8 images; None for numbers.
        pixel_range: what 0..pixel_max is mapped to; no effect on numbers.
        feature_mean: what is subtracted from each feature, float64, shape (features,); None: used as they are.
        feature_sd: what each feature is then divided by, likewise.
        target_mean: what is subtracted from a regression target; 0 for labels. Of several targets float64, shape
            (targets,).
        target_scale: what it is then divided by: what 1 means in a batch's y, in the data's unit; 1 for labels. Of
            several targets likewise.
        target_ends: smallest and largest training target, standardized; (-1, 1) for labels. Of several targets float64,
            shape (2, targets).
        classes: their names, in the order of the outputs; empty if they have none.
    """

    task: Task
    input_shape: tuple[int, ...]
    num_outputs: int
    pixel_max: int | None = None
    pixel_range: tuple[float, float] = (0.0, 1.0)
    feature_mean: np.ndarray | None = None
    feature_sd: np.ndarray | None = None
    target_mean: float | np.ndarray = 0.0
    target_scale: float | np.ndarray = 1.0
    target_ends: tuple[float, float] | np.ndarray = (-1.0, 1.0)
    classes: tuple[str, ...] = ()

    @property
    def scale_and_shift(self) -> tuple[float, float]:
        """Pixels become `pixel * scale + shift`; (1, 0) leaves numbers alone."""
        return (1.0, 0.0) if self.pixel_max is None else pixel_map(self.pixel_range, pixel_max=self.pixel_max)

    def features(self, x: np.ndarray) -> np.ndarray:
        """A table standardized as the training set was, float32; anything else unchanged."""
        if self.feature_mean is None or self.feature_sd is None:
            return x
        return standardized(x, self.feature_mean, self.feature_sd)

    def targets(self, y: np.ndarray) -> np.ndarray:
        """Class numbers and labels unchanged; regression targets standardized by the training set, float32."""
        return standardized(y, self.target_mean, self.target_scale) if self.task == "regression" else y

    def inputs(self, x: np.ndarray | Tensor) -> Tensor:
        """The inputs of the network, float32, on the device of `x`.

        Args:
            x: samples as the data set has them, shape (N, *input_shape): uint8 pixels, or numbers in their own unit.

        Raises:
            ConfigError: if they cannot be samples of such a data set.
        """
        samples = torch.as_tensor(x)
        self._check(samples)
        if self.feature_mean is not None:
            return torch.from_numpy(self.features(samples.float().numpy(force=True))).to(samples.device)
        return scaled(samples.float(), *self.scale_and_shift)

    def _check(self, x: Tensor) -> None:
        shape = tuple(x.shape)
        if shape[1:] != self.input_shape or not shape:
            wanted = ", ".join(map(str, ("N", *self.input_shape)))
            raise ConfigError(f"x has shape {shape}; this network takes samples of shape ({wanted})")
        if self.pixel_max is not None:
            if x.dtype != torch.uint8:
                raise ConfigError(
                    f"x holds {x.dtype}; this network takes pixels as its data set has them, torch.uint8 from 0 to "
                    f"{self.pixel_max}, and scales them itself"
                )
            if x.numel() and int(x.max()) > self.pixel_max:
                raise ConfigError(f"x reaches {int(x.max())}; a white pixel of this network's data is {self.pixel_max}")
        elif self.feature_mean is None and not x.is_floating_point():
            raise ConfigError(f"x holds {x.dtype}; this network takes floats, which it uses as they are")

    def state(self) -> dict[str, Any]:
        """For a checkpoint: numbers, words, lists and tensors."""
        return {
            key: torch.from_numpy(value) if isinstance(value, np.ndarray) else value
            for key, value in asdict(self).items()
        }


def scaled(x: Tensor, scale: float, shift: float) -> Tensor:
    """`x * scale + shift`, in place; float32."""
    return x if (scale, shift) == (1.0, 0.0) else x.mul_(scale).add_(shift)


def stored_preparation(checkpoint: Mapping[str, Any]) -> Preparation | None:
    """What a checkpoint says of its data; None in one of a version that did not say it."""
    states = [value for value in checkpoint.values() if isinstance(value, Mapping) and STATE in value]
    if not states:
        return None
    state: dict[str, Any] = states[0][STATE]
    known: dict[str, Any] = {key: one.numpy() if isinstance(one, Tensor) else one for key, one in state.items()}
    return Preparation(**known)
