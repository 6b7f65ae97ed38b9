"""How fast gradflow is compared with the scripts it replaces and with loops that nothing in PyTorch can beat.

    make bench          # everything, about 50 minutes on two cores
    make bench-quick    # the MLP, its monitors and start-up, in under three minutes
    python tests/benchmarks/speed.py --only jax jax_seeds    # parts of it

Every ratio is measured within one run, its two sides in turn. Nothing here passes or fails: the table shows each ratio
next to its target. Run it on an idle machine; OMP_NUM_THREADS sets the threads of scripts, train.py chooses its own.
Keras is measured if it is installed, JAX if an environment of its own has it: `python -m venv .venv-jax` and
`.venv-jax/bin/pip install jax`, or `--jax PYTHON`.
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
import speed_jax
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
    "gradflow's, `at most n` an upper bound on gradflow's time over the other's. "
    "Compared with JAX, gradflow has the threads that it takes by default; no epoch holds compilation, which has a row."
)

QUICK: dict[str, Group] = {
    "adam": lambda settings: speed_mlp.adam(settings, epochs=5, naive=False),
    "monitors": lambda settings: speed_mlp.monitors_by_clock(settings, rounds=1),
}
FULL: dict[str, Group] = {
    "adam": lambda settings: speed_mlp.adam(settings, epochs=6),
    "monitors": lambda settings: speed_mlp.monitors_by_clock(settings, rounds=2),
    "jax": lambda settings: speed_jax.one_run(settings, epochs=6),
    "jax_seeds": lambda settings: speed_jax.several_seeds(settings, epochs=4),
    "sgd": lambda settings: speed_mlp.sgd(settings, epochs=6),
    "conv_1": lambda settings: speed_conv.steps(settings, blocks=1, precision="float32"),
    "conv_1_bf16": lambda settings: speed_conv.steps(settings, blocks=1, precision="bf16"),
    "conv_8": lambda settings: speed_conv.steps(settings, blocks=8, precision="float32"),
    "conv_8_bf16": lambda settings: speed_conv.steps(settings, blocks=8, precision="bf16"),
    "conv_monitors": lambda settings: speed_conv.monitors(settings, blocks=8, epochs=4),
    "batch_norm": speed_conv.precise_batch_norm,
    "activations": speed_sweeps.three_activations,
    "launchers": speed_sweeps.launchers,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument("--quick", action="store_true", help="the MLP and its monitors only")
    chosen.add_argument("--only", nargs="+", choices=FULL, default=(), metavar="PART", help=f"any of {', '.join(FULL)}")
    parser.add_argument("--rounds", type=int, help="how many times each is measured")
    parser.add_argument("--keras", type=Path, help="a Python interpreter with Keras")
    parser.add_argument("--jax", type=Path, help="a Python interpreter with JAX; otherwise that of .venv-jax, if any")
    args = parser.parse_args()
    keras = args.keras or (Path(sys.executable) if importlib.util.find_spec("keras") else None)
    name, groups = ("speed_quick", QUICK) if args.quick else ("speed", FULL)
    if args.only:
        name, groups = "_".join(("speed", *args.only)), {part: FULL[part] for part in args.only}
    rows: list[list[str]] = []
    with benchmark_data.mnist_folder() as (data_dir, described), tempfile.TemporaryDirectory() as temporary:
        photos = Path(temporary) / "photos.npz"
        benchmark_data.write_noise_photos(photos)
        rounds = args.rounds or (2 if args.quick else 3)
        settings = Settings(data_dir, photos, machine.threads(), rounds, keras, speed_jax.interpreter(args.jax))
        head = f"Speed. {machine.caption()} {described} {PHOTOS}\n\n{MEANING}\n"
        for group in groups.values():
            rows += group(settings)
            text = f"{head}\n{tables.markdown(HEADER, rows)}"
            tables.write(name, text)  # so that the finished rows survive Ctrl-C
    print(text)


if __name__ == "__main__":
    main()
