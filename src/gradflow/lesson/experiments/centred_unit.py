"""A linear unit that learns two weights, one sample a step, from centred inputs and from others."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from gradflow.lesson.experiments.centring import FUNCTIONS, OPTIMIZERS, SGD, Tuned, at_rates, geometric_mean, tuned
from gradflow.seeds import Stream, numpy_generator

START = (0.0, 0.0)
OPPOSITE, ALIKE = (1.0, -1.0), (1.0, 1.0)  # targets: one weight has to grow and the other to shrink; both have to grow
COMMON_RATE = 0.8
RATES = tuple(2.0 ** (half / 2) for half in range(-12, 11))
STEPS = 60
SEEDS, TUNING = 20, 20


@dataclass(frozen=True)
class Unit:
    """What a unit learns with inputs from one function.

    Attributes:
        common: distance to the target after all steps of SGD at the common rate, geometric mean over the seeds.
        opposite: at the best rate of each optimizer, by its name.
        alike: with SGD, for the target to which both weights have to grow.
        path: of the first seed with SGD at its best rate, from `path`.
    """

    common: float
    opposite: dict[str, Tuned]
    alike: Tuned
    path: pd.DataFrame


def units(*, seed: int) -> dict[str, Unit]:
    """Every function's, by its name."""
    return {name: _unit(name, seed) for name in FUNCTIONS}


def _unit(name: str, seed: int) -> Unit:
    def best(optimizer: str, target: tuple[float, float]) -> Tuned:
        return tuned(
            lambda rates, seeds: distances(weights(name, rates, seeds, optimizer, target)[-1], target),
            RATES,
            seed=seed,
            tuning=TUNING,
            seeds=SEEDS,
        )

    common = distances(weights(name, [COMMON_RATE], range(seed, seed + SEEDS), SGD, OPPOSITE)[-1], OPPOSITE)
    opposite = {optimizer: best(optimizer, OPPOSITE) for optimizer in OPTIMIZERS}
    return Unit(
        common=float(geometric_mean(common)[0]),
        opposite=opposite,
        alike=best(SGD, ALIKE),
        path=path(name, opposite[SGD].rate, seed=seed),
    )


def weights(
    name: str, rates: Sequence[float], seeds: Sequence[int], optimizer: str, target: tuple[float, float]
) -> np.ndarray:
    """The two weights after every step, in float64, shape (steps + 1, rates, seeds, 2).

    The unit's target is `target` times its inputs; the loss is half the squared error, so the gradient is the error
    times the inputs. Inputs are the function of standard normal numbers, which the seed fixes.
    """
    z = np.stack([numpy_generator(one, Stream.ORDER).standard_normal((STEPS, 2)) for one in seeds], axis=1)
    copies, stepper = at_rates([torch.tensor(START, dtype=torch.float64).repeat(len(seeds), 1)], rates, optimizer)
    goal = torch.tensor(target, dtype=torch.float64)
    seen = [torch.stack(copies[0]).detach()]
    for inputs in FUNCTIONS[name].apply(torch.from_numpy(z)):
        stepper.zero_grad()
        error = ((torch.stack(copies[0]) - goal) * inputs).sum(dim=-1)
        (0.5 * error.square().sum()).backward()
        stepper.step()
        seen.append(torch.stack(copies[0]).detach())
    return torch.stack(seen).numpy()


def distances(weights: np.ndarray, target: tuple[float, float]) -> np.ndarray:
    """To the target, over the last axis."""
    return np.asarray(np.linalg.norm(weights - np.array(target), axis=-1))


def path(name: str, rate: float, *, seed: int) -> pd.DataFrame:
    """One unit's way to the target (1, -1) with SGD.

    Returns:
        Columns step (0 to 60), w1, w2, distance (to the target), same_sign: whether the step that led here moved both
        weights the same way, False at step 0.
    """
    seen = weights(name, [rate], [seed], SGD, OPPOSITE)[:, 0, 0]
    same = np.append(False, np.diff(seen, axis=0).prod(axis=1) > 0)
    columns = {"step": np.arange(STEPS + 1), "w1": seen[:, 0], "w2": seen[:, 1]}
    return pd.DataFrame(columns | {"distance": distances(seen, OPPOSITE), "same_sign": same})
