"""What a build measures by training networks, each experiment when a section first asks for it."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from gradflow.lesson.experiments import (
    centred_network,
    centred_unit,
    dead_units,
    deep,
    mistakes,
    nonlinearity,
    telephone,
    zero_centred,
)
from gradflow.lesson.experiments.effort import Effort


@dataclass(frozen=True)
class Measured:
    """The experiments' results, as their modules return them.

    Attributes:
        effort: how much to compute.
        seed: the first of the seeds.
    """

    effort: Effort
    seed: int

    @functools.cached_property
    def circles(self) -> list[nonlinearity.Classifier]:
        return nonlinearity.classifiers(self.effort, seed=self.seed)

    @functools.cached_property
    def signals(self) -> pd.DataFrame:
        return telephone.signals(self.effort, seed=self.seed)

    @functools.cached_property
    def dying(self) -> Mapping[str, Mapping[str, dead_units.Training]]:
        return dead_units.trainings(self.effort, seed=self.seed)

    @functools.cached_property
    def signs(self) -> Mapping[str, zero_centred.Signs]:
        return {name: zero_centred.sign_structure(name, seed=self.seed) for name in zero_centred.ACTIVATIONS}

    @functools.cached_property
    def centred_units(self) -> Mapping[str, centred_unit.Unit]:
        return centred_unit.units(seed=self.seed)

    @functools.cached_property
    def centred_networks(self) -> Mapping[tuple[str, str], centred_network.Trained]:
        return centred_network.trainings(self.effort, seed=self.seed)

    @functools.cached_property
    def shallow(self) -> Mapping[str, mistakes.Pair]:
        return mistakes.trainings(self.effort, seed=self.seed)

    @functools.cached_property
    def gradient_share(self) -> float:
        return mistakes.gradient_share(seed=self.seed)

    @functools.cached_property
    def deep(self) -> pd.DataFrame:
        return deep.trainings(self.effort, seed=self.seed)
