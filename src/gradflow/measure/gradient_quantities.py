"""From the norms of tensors to the quantities that are written. Shape letters: S steps, T tensors, L sites."""

from collections.abc import Mapping, Sequence

import numpy as np
from torch import nn

from gradflow.measure.gradient_sites import GradientSite
from gradflow.measure.steps import average_windows
from gradflow.runs import tags
from gradflow.runs.gradient_gain import gain_per_layer, longest_chain


class GradientQuantities:
    """Every quantity that follows from the gradients of the parameters that one optimizer updates.

    Args:
        parameters: the T tensors.
        sites: those of the network, in forward order; of a site only its weights and biases among the parameters count.
        optimizer: which of several this is, a part of its tags; None for the only one.
        shared: parameters that other optimizers update too; the tags of their sites name the optimizer.
    """

    def __init__(
        self,
        parameters: Sequence[nn.Parameter],
        sites: Sequence[GradientSite],
        *,
        optimizer: int | None = None,
        shared: frozenset[int] = frozenset(),
    ) -> None:
        place = {id(parameter): i for i, parameter in enumerate(parameters)}
        self._optimizer = optimizer
        self._sizes_T = np.array([parameter.numel() for parameter in parameters])
        every, sites = sites, _around(sites, place)
        self.sites = [site for site in sites if any(id(weight) in place for weight in site.weights)]
        self._names = [
            tags.of_optimizer(site.name, optimizer if shared.intersection(map(id, site.weights)) else None)
            for site in self.sites
        ]
        self._weights = [[place[id(p)] for p in site.weights if id(p) in place] for site in self.sites]
        self._biases = [[place[id(p)] for p in site.biases if id(p) in place] for site in self.sites]
        # A part that is trained alone, such as one of a GAN's two networks, has a first site and a head of its own.
        last = sites[-1] if 0 < len(sites) < len(every) else None
        self._hidden = [i for i, site in enumerate(self.sites) if not site.is_head and site is not last]
        self._chain = self._longest_chain(sites[0]) if sites else []

    def _longest_chain(self, first: GradientSite) -> list[list[int]]:
        """The hidden sites over which the gain is taken, those beside each other as one place."""
        places: list[list[int]] = []
        for i in self._hidden:
            if places and self.sites[i].beside and places[-1][-1] == i - 1 and self._shapes(i) == self._shapes(i - 1):
                places[-1].append(i)
            else:
                places.append([i])
        # What precedes the places of this optimizer, if it does not update the first site, takes its place.
        frozen = [] if places and self.sites[places[0][0]] is first else [()]
        chain = longest_chain([*frozen, *(self._shapes(place[0]) for place in places)])
        return [places[i - len(frozen)] for i in chain]

    def _shapes(self, site: int) -> tuple[tuple[int, ...], ...]:
        return tuple(tuple(shape) for shape in self.sites[site].shapes)

    def of(self, norms_ST: np.ndarray, abs_sums_ST: np.ndarray | None = None) -> dict[str, np.ndarray]:
        """Every quantity by tag, each of shape (S,).

        Args:
            norms_ST: the Euclidean norm of each tensor's gradient, shape (S, T).
            abs_sums_ST: the sum of its absolute values; None if it was not measured.
        """
        columns: dict[str, np.ndarray] = {}
        weights_LS = [_pooled(norms_ST[:, places]) for places in self._weights]
        sizes_L = [self._sizes_T[places].sum() for places in self._weights]
        rms_LS = [weights_S / np.sqrt(size) for weights_S, size in zip(weights_LS, sizes_L, strict=True)]
        for name, weights_S, biases in zip(self._names, weights_LS, self._biases, strict=True):
            columns[tags.of_layer(tags.GRAD_NORM, name)] = np.hypot(weights_S, _pooled(norms_ST[:, biases]))
        columns |= {tags.of_layer(tags.GRAD_RMS, name): rms_S for name, rms_S in zip(self._names, rms_LS, strict=True)}
        columns[self._tag(tags.GRAD_NORM_TOTAL)] = np.linalg.norm(norms_ST, axis=1)
        if abs_sums_ST is not None:
            columns[self._tag(tags.GRAD_ABS_MEAN)] = (abs_sums_ST / self._sizes_T).mean(axis=1)
        if len(self._hidden) > 1:
            with np.errstate(divide="ignore", invalid="ignore"):
                columns[self._tag(tags.FIRST_TO_LAST)] = rms_LS[self._hidden[0]] / rms_LS[self._hidden[-1]]
        if self._chain:
            rms = [
                rms_LS[sites[0]]
                if len(sites) == 1
                else _pooled(np.stack([weights_LS[i] for i in sites], axis=1)) / np.sqrt(sum(sizes_L[i] for i in sites))
                for sites in self._chain
            ]
            columns[self._tag(tags.GAIN_PER_LAYER)] = gain_per_layer(np.stack(rms, axis=1))
        return columns

    def _tag(self, tag: str) -> str:
        return tags.of_optimizer(tag, self._optimizer)


def windows(values_S: np.ndarray, tag: str, every_n_steps: int) -> np.ndarray:
    """Means of consecutive windows of steps, shape (windows,); geometric ones of a factor."""
    means = average_windows((np.log10(values_S) if is_factor(tag) else values_S)[:, None], every_n_steps)[:, 0]
    return np.power(10.0, means) if is_factor(tag) else means


class Means:
    """The mean of each quantity over the steps at which it is defined: zero has no logarithm."""

    def __init__(self) -> None:
        self._sums: dict[str, tuple[float, int]] = {}

    def add(self, columns: Mapping[str, np.ndarray]) -> None:
        """Add some steps: each quantity by tag, shape (S,)."""
        for tag, values_S in columns.items():
            finite = values_S[np.isfinite(values_S)]
            terms = np.log10(finite) if is_factor(tag) else finite
            before, count = self._sums.get(tag, (0.0, 0))
            added = float(np.add.reduceat(terms[:, None], [0], axis=0)[0, 0]) if len(terms) else 0.0
            self._sums[tag] = before + added, count + len(terms)

    def by_tag(self) -> dict[str, float]:
        """NaN for a quantity that was defined at no step."""
        means = {tag: total / count if count else float("nan") for tag, (total, count) in self._sums.items()}
        return {tag: 10.0**mean if is_factor(tag) else mean for tag, mean in means.items()}


def is_factor(tag: str) -> bool:
    """Whether a quantity is a factor, whose means are geometric."""
    return tags.of_any_optimizer(tag) == tags.GAIN_PER_LAYER


def _pooled(norms_SK: np.ndarray) -> np.ndarray:
    """The norm of K tensors together, shape (S,); zero if there are none."""
    return norms_SK[:, 0] if norms_SK.shape[1] == 1 else np.linalg.norm(norms_SK, axis=1)


def _around(sites: Sequence[GradientSite], place: dict[int, int]) -> list[GradientSite]:
    """The sites of the smallest part of the network that contains all that the optimizer updates."""
    paths = [site.path.split(".") for site in sites if any(id(weight) in place for weight in site.weights)]
    common: list[str] = []
    for parts in zip(*paths, strict=False):
        if len(set(parts)) > 1:
            break
        common.append(parts[0])
    return [site for site in sites if site.path.split(".")[: len(common)] == common] if paths else []
