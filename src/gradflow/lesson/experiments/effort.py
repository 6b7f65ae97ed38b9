"""How much the experiments of the lesson compute."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    """The sizes that determine how long a build takes.

    Attributes:
        seeds: networks to average, at least 1.
        epochs: of each training on the digits.
        deep_epochs: of each training of a deep network.
        circle_steps: full-batch updates of each training on the circles.
        circle_depths: hidden layers of those networks.
        signal_depths: hidden layers of the random networks.
        tuning_seeds: networks by which a learning rate is chosen.
        rate_seeds: networks to measure at the chosen rate, at least 2.
        rate_epochs: of each of these trainings.
        cost_repetitions: timings of each activation.
    """

    seeds: int
    epochs: int
    deep_epochs: int
    circle_steps: int
    circle_depths: tuple[int, ...]
    signal_depths: tuple[int, ...]
    tuning_seeds: int
    rate_seeds: int
    rate_epochs: int
    cost_repetitions: int


FULL = Effort(
    seeds=3,
    epochs=12,
    deep_epochs=8,
    circle_steps=300,
    circle_depths=(1, 2, 3, 4, 5, 6),
    signal_depths=(6, 10, 20, 50),
    tuning_seeds=3,
    rate_seeds=8,
    rate_epochs=4,
    cost_repetitions=40,
)
QUICK = Effort(
    seeds=2,
    epochs=2,
    deep_epochs=1,
    circle_steps=40,
    circle_depths=(1, 3),
    signal_depths=(6, 12),
    tuning_seeds=1,
    rate_seeds=2,
    rate_epochs=1,
    cost_repetitions=3,
)
