"""Functions that differ in where their outputs are centred, each trained at its own best learning rate."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gradflow.study.statistics import Summary, summary

Run = Callable[[Sequence[float], Sequence[int]], np.ndarray]
SGD, ADAM = "SGD", "Adam"
OPTIMIZERS: dict[str, type[torch.optim.Optimizer]] = {SGD: torch.optim.SGD, ADAM: torch.optim.Adam}
_TUNING_SEEDS = 10**6  # added to the seed: no seed that tunes is one that is compared


@dataclass(frozen=True)
class Function:
    """An activation, with the mean and the standard deviation of its output for a standard normal input."""

    apply: Callable[[Tensor], Tensor]
    mean: float
    spread: float


def _function(apply: Callable[[Tensor], Tensor]) -> Function:
    nodes, weights = np.polynomial.hermite_e.hermegauss(160)
    outputs, weights = apply(torch.from_numpy(nodes)).numpy(), weights / weights.sum()
    mean = float(weights @ outputs)
    return Function(apply, mean, float(np.sqrt(weights @ (outputs - mean) ** 2)))


_SPACE = "\N{NO-BREAK SPACE}"
TANH, TANH_UP = "tanh", f"tanh{_SPACE}+{_SPACE}1"
SIGMOID_DOWN, SIGMOID = f"sigmoid{_SPACE}\N{MINUS SIGN}{_SPACE}½", "sigmoid"
NARROW = "tanh, as narrow as sigmoid"
PAIRS = ((TANH, TANH_UP), (SIGMOID_DOWN, SIGMOID))  # centred and not, equal but for a constant
FUNCTIONS = {
    TANH: _function(torch.tanh),
    TANH_UP: _function(lambda z: torch.tanh(z) + 1),
    SIGMOID_DOWN: _function(lambda z: torch.sigmoid(z) - 0.5),
    SIGMOID: _function(torch.sigmoid),
}
_NARROWING = FUNCTIONS[SIGMOID].spread / FUNCTIONS[TANH].spread
FUNCTIONS[NARROW] = _function(lambda z: torch.tanh(z) * _NARROWING)


@dataclass(frozen=True)
class Tuned:
    """What a training reaches at the rate that suits it best.

    Attributes:
        rate: the rate with the lowest geometric mean over the tuning seeds.
        by_rate: that mean at every rate, shape (rates,); infinite where a seed diverged.
        reached: by other seeds at this rate, shape (seeds,); infinite where one diverged.
    """

    rate: float
    by_rate: np.ndarray
    reached: np.ndarray


def tuned(run: Run, rates: Sequence[float], *, seed: int, tuning: int, seeds: int) -> Tuned:
    """Choose a rate by some seeds, and measure it with others.

    Args:
        run: (rates, seeds) to what is left to learn, positive, shape (rates, seeds); not finite if it diverged.
        rates: to choose from.
        seed: the first of the measured seeds.
        tuning: number of seeds to choose by.
        seeds: number of seeds to measure.
    """
    by_rate = geometric_mean(run(rates, range(seed + _TUNING_SEEDS, seed + _TUNING_SEEDS + tuning)))
    best = rates[int(np.argmin(by_rate))]
    return Tuned(best, by_rate, finite_or_inf(run([best], range(seed, seed + seeds))[0]))


def geometric_mean(values: np.ndarray) -> np.ndarray:
    """Over the last axis; infinite where a value is not finite."""
    return np.asarray(np.exp(np.log(finite_or_inf(values)).mean(axis=-1)))


def finite_or_inf(values: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(values), values, np.inf)


def times_as_much(shifted: Tuned, centred: Tuned) -> Summary | None:
    """How many times as much is left to learn, paired by seed: geometric mean and 95 % t interval.

    Returns:
        None if a seed diverged.
    """
    both = np.stack([shifted.reached, centred.reached])
    return summary((both[0] / both[1]).tolist(), log10=True) if np.isfinite(both).all() else None


def at_rates(
    initial: Sequence[Tensor], rates: Sequence[float], optimizer: str
) -> tuple[list[list[Tensor]], torch.optim.Optimizer]:
    """A copy of the parameters for every rate, and one optimizer that moves each copy at its rate.

    Args:
        initial: any shapes.
        rates: of learning.
        optimizer: a key of `OPTIMIZERS`, with PyTorch's defaults.

    Returns:
        For each parameter the list of its copies, and the optimizer.
    """
    copies = [[parameter.clone().requires_grad_() for _ in rates] for parameter in initial]
    groups = [{"params": [one[i] for one in copies], "lr": rate} for i, rate in enumerate(rates)]
    return copies, OPTIMIZERS[optimizer](groups)  # type: ignore[call-arg]
