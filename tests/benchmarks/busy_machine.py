"""How much longer training takes on a machine with other work: idle, beside one and beside two busy processes.

    python tests/benchmarks/busy_machine.py                # under eight minutes, on a machine that is otherwise idle
    python tests/benchmarks/busy_machine.py --only mlp     # a part of it: mlp, digits, photos or sweep

The threads of PyTorch wait for each other after every operation. While they wait they spin, and where another process
has a core, they spin for as long as it keeps it. Here gradflow's default is compared with a fixed number of threads and
ways to wait. All variants of a network run at the same time, of which all but one are stopped; each has turns of a few
seconds under every load, round after round.
"""

import argparse
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import benchmark_data
import machine
import tables
from comparison_rows import HEADER as COMPARISON
from comparison_rows import Target, alternate, at_most, compare, duration
from our_runs import train
from paused_runs import Rate, busy_processes, paused_run
from speed_sweeps import whole

LOADS = (0, 1, 2)  # busy processes
ROUNDS = 2
SPINS = "300000"  # libgomp's own spin count, about 3 ms
HEADER = (
    *("network", "threads", "idle, per step", "beside one", "beside two"),
    *("beside one / idle", "beside two / idle", "idle / PyTorch's default idle"),
)
TARGETS = (at_most(2), at_most(3), at_most(1.35))  # of the last three
SWEEP = ("activation=sigmoid,relu", "blocks=1,2,4,6,8", "trainer.max_epochs=5")
IN_TURN = ("hydra/launcher=basic", f"threads={machine.cores()}")
ONE_BY_ONE = f"`{' '.join(IN_TURN)}`"
MEANING = (
    "Seconds of a step: the mean over those of a turn, without what lies between epochs. Medians over rounds, of the "
    "ratios too; `≥` where fewer than two steps ended in a turn, so that the median is at least this."
)


@dataclass(frozen=True)
class Variant:
    """Threads and how they wait.

    Attributes:
        overrides: of train.py.
        environment: OpenMP's variables.
    """

    overrides: tuple[str, ...] = ()
    environment: Mapping[str, str] | None = None


ALL = f"threads={machine.cores()}"
DEFAULT, SPINNING = "gradflow's default", f"`{ALL} GOMP_SPINCOUNT={SPINS}`, PyTorch's default"
VARIANTS = {
    DEFAULT: Variant(),
    "`threads=1`": Variant(("threads=1",)),
    SPINNING: Variant((ALL,), {"GOMP_SPINCOUNT": SPINS}),
    f"`{ALL} GOMP_SPINCOUNT=10000`": Variant((ALL,), {"GOMP_SPINCOUNT": "10000"}),
    f"`{ALL} OMP_WAIT_POLICY=PASSIVE`": Variant((ALL,), {"OMP_WAIT_POLICY": "PASSIVE"}),
}


@dataclass(frozen=True)
class Network:
    """What is trained.

    Attributes:
        words: in the table.
        overrides: of train.py.
        turn: seconds.
    """

    words: str
    overrides: tuple[str, ...]
    turn: float


def networks(data_dir: Path, photos: Path) -> dict[str, Network]:
    mnist = ("experiment=mnist_adam", f"data_dir={data_dir}")
    images = ("data=npz", f"data.path={photos}", "data.batch_size=128", "data.validation=test")
    own = {
        "mlp": Network("MLP on MNIST (`mnist_adam`)", mnist, 1.5),
        "digits": Network("conv, 4 blocks, on the digits (8x8)", (), 2.0),
        "photos": Network("conv, 2 blocks, 32x32, batch 128", (*images, "data.validation_size=null", "blocks=2"), 3.0),
    }
    alike = ("activation=relu", "seed=0", "trainer=cpu")
    return {name: Network(one.words, (*one.overrides, *alike), one.turn) for name, one in own.items()}


NETWORKS = ("mlp", "digits", "photos")
Rates = dict[str, list[list[Rate]]]  # of each variant, shape (rounds, loads)


def measure(network: Network, *, rounds: int) -> Rates:
    """The rates of all variants."""
    with ExitStack() as stack:
        runs = {
            name: stack.enter_context(paused_run((*network.overrides, *one.overrides), one.environment or {}))
            for name, one in VARIANTS.items()
        }
        for run in runs.values():
            run.stop_before_training()
        for run in runs.values():
            run.train_an_epoch()  # the first, with what it imports
        for number in range(1, rounds + 1):
            for load in LOADS:
                print(f"{network.words}: beside {load}, {number} of {rounds}", file=sys.stderr, flush=True)
                with busy_processes(load):
                    for run in runs.values():
                        run.turn(network.turn)
        rates = {name: run.rates() for name, run in runs.items()}
    loads = len(LOADS)
    return {name: [of[i : i + loads] for i in range(0, len(of), loads)] for name, of in rates.items()}


def compared(ours: Sequence[Rate], others: Sequence[Rate], target: Target | None = None) -> str:
    """The median over rounds of the ratio, with its target and whether it is reached."""
    ratio = median(one.seconds / other.seconds for one, other in zip(ours, others, strict=True))
    at_least = _at_least(ours)
    text = f"{at_least}{ratio:.2f}"
    if target is None:
        return text
    verdict = target.verdict(ratio)
    return f"{text} ({target}: {'unknown' if at_least and verdict == 'yes' else verdict})"


def shown(rates: Sequence[Rate]) -> str:
    """The median over rounds."""
    return _at_least(rates) + duration(median(one.seconds for one in rates))


def _at_least(rates: Sequence[Rate]) -> str:
    """A median is a lower bound if one of its values is."""
    return "≥ " if any(one.bound for one in rates) else ""


def rows(network: Network, rates: Rates) -> list[list[str]]:
    """One row per variant; only the default has targets."""
    spinning, *_ = zip(*rates[SPINNING], strict=True)
    table = []
    for name, of_rounds in rates.items():
        idle, *beside = zip(*of_rounds, strict=True)
        targets = TARGETS if name == DEFAULT else (None,) * len(TARGETS)
        ratios = [(one, idle) for one in beside] + [(idle, spinning)]
        cells = [compared(*pair, target) for pair, target in zip(ratios, targets, strict=True)]
        table.append([network.words, name, *(shown(one) for one in (idle, *beside)), *cells])
    return table


def sweep() -> list[list[str]]:
    """A sweep of short runs on the idle machine: by default, and one run after another on both cores."""
    samples = alternate(
        "a sweep",
        {
            "gradflow": lambda: whole(train(SWEEP).process),
            ONE_BY_ONE: lambda: whole(train((*SWEEP, *IN_TURN), environment={"GOMP_SPINCOUNT": SPINS}).process),
        },
        rounds=1,
    )
    return [compare(f"`{' '.join(SWEEP)}`, from the command to the table", samples, "gradflow", ONE_BY_ONE, at_most(1))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=(*NETWORKS, "sweep"), help="a part")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how many turns each network has")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that no process is left behind
    name = f"busy_{args.only}" if args.only else "busy"
    text = f"Beside busy processes. {machine.caption(pinned=False)}\n\n{MEANING}\n"
    table: list[list[str]] = []
    with benchmark_data.mnist_folder() as (data_dir, _), tempfile.TemporaryDirectory() as temporary:
        photos = Path(temporary) / "photos.npz"
        benchmark_data.write_noise_photos(photos)
        for part, network in networks(data_dir, photos).items():
            if args.only in (None, part):
                table += rows(network, measure(network, rounds=args.rounds))
                tables.write(name, f"{text}\n{tables.markdown(HEADER, table)}")
    text += f"\n{tables.markdown(HEADER, table)}\n" if table else ""
    if args.only in (None, "sweep"):
        text += f"\n{tables.markdown(COMPARISON, sweep())}\n"
    tables.publish(name, text)


if __name__ == "__main__":
    main()
