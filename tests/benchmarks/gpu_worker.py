"""One of several processes that train on the same GPU: waits for orders, trains for a while, says how fast.

    python tests/benchmarks/gpu_worker.py OVERRIDES... -- OVERRIDES...

An order is one line on standard input: `WHICH BEGIN END`, the number of a list of overrides, and the seconds since 1970
between which steps are counted. The answer is one line that ends in steps per second.
"""

import sys
import tempfile
from pathlib import Path

from gpu_runs import Pacer, Stopped, composed

from gradflow.training import build
from gradflow.training.devices import OwnEnvironment
from gradflow.training.fit import build_parts
from gradflow.training.process import process_settings

READY, RATE = "ready", "steps per second"
FOREVER = "trainer.max_epochs=1000000"
PACER = "+callbacks.pacer._target_=gpu_runs.Pacer"


def train(overrides: list[str], begin: float, end: float) -> float:
    """Train from the start, in a folder that is thrown away; steps per second between two moments."""
    cfg = composed(*overrides, FOREVER, PACER)
    with tempfile.TemporaryDirectory() as folder, process_settings(cfg):
        parts = build_parts(cfg, Path(folder), OwnEnvironment(), loggers=build.loggers(cfg, Path(folder)))
        (pacer,) = (one for one in parts.monitors if isinstance(one, Pacer))
        pacer.begin, pacer.end = begin, end
        try:
            parts.trainer.fit(parts.module, datamodule=parts.data)
        except Stopped:
            return pacer.rate
    raise AssertionError("the training ended by itself")


def main() -> None:
    """Read orders until there are no more."""
    sets = [one.split() for one in " ".join(sys.argv[1:]).split(" -- ")]
    train(sets[0], 0.0, 0.0)  # loads what a first training loads
    print(READY, flush=True)
    for line in sys.stdin:
        which, begin, end = line.split()
        print(f"{RATE} {train(sets[int(which)], float(begin), float(end))}", flush=True)


if __name__ == "__main__":
    main()
