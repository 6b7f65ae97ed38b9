"""Data sets as a user would write them: `data.source._target_=own_data.NAME`."""

import numpy as np
import torch
from torch.utils.data import Dataset

from gradflow.data.arrays import Arrays

reads: list[str] = []  # of the sources below, in the order of the calls


def rare(*, copy: str) -> Arrays:
    """Three classes of 3, 13 and 24 samples: half of them leave the first class one sample or two.

    Args:
        copy: another name is another data set, which no earlier test has loaded.
    """
    reads.append("rare")
    y = np.repeat([0, 1, 2], [3, 13, 24])
    return Arrays(np.zeros((len(y), 5), np.float32), y, "classification", None)


def striped(*, samples: int = 60, sides: int = 8):
    """Grey images with a bright row, whose number modulo 3 is the class: x (N, H, W) in uint8, y (N,)."""
    x, y = np.zeros((samples, sides, sides), np.uint8), np.arange(samples) % 3
    x[np.arange(samples), y] = 200
    return x, y


def plane(*, kind: str = "regression"):
    """Three linear functions of five numbers in units that differ by factors of 10, or whether each exceeds 7."""
    generator = np.random.default_rng(0)
    x, weights = generator.normal(size=(200, 5)), generator.normal(size=(5, 3)) * [1, 10, 100]
    y = x @ weights + 7
    y = y if kind == "regression" else y > 7
    return {"x_train": x[:150], "y_train": y[:150], "x_test": x[150:], "y_test": y[150:]}


class Spectra(Dataset):
    """Images of 13 channels, as tensors (C, H, W); the class is the brightest of the first three channels."""

    def __init__(self, *, train: bool, samples: int = 40) -> None:
        self.x = torch.randint(0, 100, (samples, 13, 4, 6), generator=torch.Generator().manual_seed(int(train))).byte()
        self.y = torch.arange(samples) % 3
        self.x[torch.arange(samples), self.y] += 150

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, number: int) -> tuple[torch.Tensor, int]:
        return self.x[number], int(self.y[number])
