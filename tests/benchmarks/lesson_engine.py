"""How fast the lesson's networks train: steps per second in a browser, and the same steps in torch.

    python tests/benchmarks/lesson_engine.py     # a minute; needs Chromium

Two networks in step, batches of 32 points in the plane, Adam, float64; the browser and torch (one thread) take turns.
Target: 200 steps per second of two networks of 4 x 16 units. A look is everything that the page shows of both: loss,
gradients, slopes and 2,500 cells of the region.
"""

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import machine
import tables
import torch
import torch.nn.functional as F
from torch import nn

from gradflow.lesson.experiments.fit import make_mlp

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from engine_page import Engine, engine_page

TARGET = 200  # steps per second of the first setting
BATCH, POINTS = 32, 300
HEADER = ("two networks", "steps per second", "torch", "ratio (rounds)", "milliseconds of a look", "target", "reached")


@dataclass(frozen=True)
class Setting:
    """Two networks of one kind."""

    name: str
    activation: type[nn.Module]
    depth: int
    width: int
    normalisation: str = "none"

    def __str__(self) -> str:
        normalisation = "" if self.normalisation == "none" else f", {self.normalisation} norm"
        return f"{self.depth} x {self.width} {self.name}{normalisation}"

    def of_the_page(self) -> dict[str, Any]:
        network = {"activation": self.name, "normalisation": self.normalisation, "rate": 0.001}
        sizes = {"depth": self.depth, "width": self.width, "points": POINTS, "batch": BATCH}
        return {**sizes, "networks": [network, network]}


SETTINGS = [
    Setting("relu", nn.ReLU, 4, 16),
    Setting("sigmoid", nn.Sigmoid, 4, 16),
    Setting("gelu", nn.GELU, 4, 16, "layer"),
    Setting("sigmoid", nn.Sigmoid, 10, 16, "batch"),
    Setting("relu", nn.ReLU, 30, 32, "batch"),
]


def in_the_page(engine: Engine, setting: Setting, steps: int) -> tuple[float, float]:
    """Seconds of a step of both networks, and of a look, both after a warm-up."""
    seconds, look = engine(
        """([settings, steps]) => {
          const session = lesson.session(settings);
          const timed = f => { const start = performance.now(); f(); return (performance.now() - start) / 1000; };
          session.advance(steps);
          session.look();
          return [timed(() => session.advance(steps)) / steps, timed(() => session.look())];
        }""",
        [setting.of_the_page(), steps],
    )
    return seconds, look


def in_torch(setting: Setting, steps: int) -> float:
    """Seconds of a step of both networks, after a warm-up."""
    x = torch.rand(POINTS, 2, dtype=torch.float64) * 2 - 1
    y = (x.prod(1) > 0).long()
    networks = [
        make_mlp(
            setting.activation,
            blocks=setting.depth,
            width=setting.width,
            seed=seed,
            inputs=2,
            outputs=2,
            norm=setting.normalisation,
        ).double()
        for seed in (0, 1)
    ]
    optimizers = [torch.optim.Adam(network.parameters(), lr=0.001) for network in networks]
    start = time.perf_counter()
    for step in range(steps + steps // 5):
        if step == steps // 5:
            start = time.perf_counter()
        rows = torch.randint(POINTS, (BATCH,))
        for network, optimizer in zip(networks, optimizers, strict=True):
            optimizer.zero_grad()
            F.cross_entropy(network(x[rows]), y[rows]).backward()
            optimizer.step()
    return (time.perf_counter() - start) / steps


def row(engine: Engine, setting: Setting, *, rounds: int, seconds: float) -> list[str]:
    """A line of the table; every turn takes about `seconds`."""
    ours, theirs, looks = [], [], []
    pilot = in_the_page(engine, setting, 20)[0], in_torch(setting, 10)
    steps, steps_torch = (max(10, int(seconds / one)) for one in pilot)
    for _ in range(rounds):
        machine.wait_until_quiet(limit=20)
        step, look = in_the_page(engine, setting, steps // 2)
        ours.append(step)
        looks.append(look)
        theirs.append(in_torch(setting, steps_torch))
    ratios = sorted(other / one for one, other in zip(ours, theirs, strict=True))
    rate = 1 / median(ours)
    wanted = setting is SETTINGS[0]
    return [
        str(setting),
        f"{rate:.0f}",
        f"{1 / median(theirs):.0f}",
        f"{median(theirs) / median(ours):.1f} ({ratios[0]:.1f} to {ratios[-1]:.1f})",
        f"{1000 * median(looks):.0f}",
        f"at least {TARGET}" if wanted else "",
        ("yes" if rate >= TARGET else "no") if wanted else "",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="how many times each is measured")
    parser.add_argument("--seconds", type=float, default=2, help="of one measurement")
    args = parser.parse_args()
    torch.set_num_threads(1)
    with engine_page() as engine:
        version = engine.page.context.browser.version
        head = f"The lesson's networks. {machine.caption()} Chromium {version}, torch with one thread.\n"
        rows = [row(engine, setting, rounds=args.rounds, seconds=args.seconds) for setting in SETTINGS]
    tables.publish("lesson_engine", f"{head}\n{tables.markdown(HEADER, rows)}")


if __name__ == "__main__":
    main()
