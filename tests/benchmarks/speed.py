"""How fast gradflow is compared with the scripts it replaces and with loops that nothing in PyTorch can beat.

    make bench          # everything, about 40 minutes on two cores
    make bench-quick    # the MLP, its monitors and start-up, in under three minutes

Every ratio is measured within one run, its two sides in turn. Nothing here passes or fails: the table shows each ratio
next to its target. Run it on an idle machine; OMP_NUM_THREADS sets the threads of every process.
"""

import argparse
import importlib.util
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import benchmark_data
import machine
import speed_conv
import speed_mlp
import speed_sweeps
import tables
from comparison_rows import HEADER
from settings import Settings

Group = Callable[[Settings], list[list[str]]]
PHOTOS = "Conv stacks: {} + {} random images in CIFAR-10's shape, batches of 128.".format(*benchmark_data.PHOTOS)
MEANING = (
    "Medians of epochs in the steady state (without the first two), or of steps; in brackets, the smallest and largest "
    "ratio of a single round. Disturbances make a measurement slower, never faster: on a machine that is not idle, the "
    "ratio of the fastest epochs or steps says more. `n times faster` is a lower bound on the other's time over "
    "gradflow's, `at most n` an upper bound on gradflow's time over the other's."
)

QUICK: list[Group] = [
    lambda settings: speed_mlp.adam(settings, epochs=5, naive=False),
    lambda settings: speed_mlp.monitors_by_clock(settings, rounds=1),
]
FULL: list[Group] = [
    lambda settings: speed_mlp.adam(settings, epochs=6),
    lambda settings: speed_mlp.monitors_by_clock(settings, rounds=2),
    lambda settings: speed_mlp.sgd(settings, epochs=6),
    lambda settings: speed_conv.steps(settings, blocks=1, precision="float32"),
    lambda settings: speed_conv.steps(settings, blocks=1, precision="bf16"),
    lambda settings: speed_conv.steps(settings, blocks=8, precision="float32"),
    lambda settings: speed_conv.steps(settings, blocks=8, precision="bf16"),
    lambda settings: speed_conv.monitors(settings, blocks=8, epochs=4),
    speed_conv.precise_batch_norm,
    speed_sweeps.three_activations,
    speed_sweeps.launchers,
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="the MLP and its monitors only")
    parser.add_argument("--rounds", type=int, help="how many times each is measured")
    parser.add_argument("--keras", type=Path, help="a Python interpreter with Keras")
    args = parser.parse_args()
    keras = args.keras or (Path(sys.executable) if importlib.util.find_spec("keras") else None)
    name, groups = ("speed_quick", QUICK) if args.quick else ("speed", FULL)
    rows: list[list[str]] = []
    with benchmark_data.mnist_folder() as (data_dir, described), tempfile.TemporaryDirectory() as temporary:
        photos = Path(temporary) / "photos.npz"
        benchmark_data.write_noise_photos(photos)
        rounds = args.rounds or (2 if args.quick else 3)
        settings = Settings(data_dir, photos, threads=machine.threads(), rounds=rounds, keras=keras)
        head = f"Speed. {machine.caption()} {described} {PHOTOS}\n\n{MEANING}\n"
        for group in groups:
            rows += group(settings)
            text = f"{head}\n{tables.markdown(HEADER, rows)}"
            tables.write(name, text)  # so that the finished rows survive Ctrl-C
    print(text)


if __name__ == "__main__":
    main()
