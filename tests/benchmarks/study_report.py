"""Seconds and peak memory of `python -m gradflow.study` on synthetic studies, and their growth with the number of runs.

    make bench
    .venv/bin/python tests/benchmarks/study_report.py --runs 500

Ten activations, five depths and as many seeds as needed; every run has the curves of the default sweep (10 epochs of 38
steps). The targets for the report of 2,000 runs: at most three eighths of what TensorBoard's own reader takes to read
all event files once, and 512 MiB. Fewer runs take a larger share, as drawing takes the same.
"""

import argparse
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import tables
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from forged_runs import typical, write_run

FEW, MANY = 100, 2000  # runs
READ = 20  # runs that TensorBoard reads, in the place of all
MOST_OF_READING, MOST_MIB = 3 / 8, 512  # of the report
ACTIVATIONS = ("relu", "sigmoid", "tanh", "elu", "gelu", "silu", "mish", "selu", "celu", "softplus")
DEPTHS = (1, 2, 4, 6, 8)
HEADER = (
    "command",
    "runs",
    "seconds",
    "peak MiB",
    "seconds grow as runs to the power",
    "over TensorBoard's reading",
    "target",
    "reached",
)
MEASURED = """
import re, sys, time
from pathlib import Path
start = time.perf_counter()
from gradflow.study.__main__ import main
status = main(sys.argv[1:])
# Not `ru_maxrss`, which begins with what the process that started this one had.
peak = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024
print(status, time.perf_counter() - start, peak, file=sys.stderr)
"""


def synthetic_study(folder: Path, runs: int) -> None:
    for i in range(runs):
        seed, place = divmod(i, len(ACTIVATIONS) * len(DEPTHS))
        depth, kind = divmod(place, len(ACTIVATIONS))
        ordinary = typical(accuracy=0.9 - 0.01 * kind + 0.001 * seed, blocks=DEPTHS[depth], steps=380, epochs=10)
        write_run(folder, activation=ACTIVATIONS[kind], seed=seed, **ordinary)


def measure(study: Path, *words: str) -> tuple[float, float]:
    """Seconds and peak memory in MiB of one command in a separate process, imports included."""
    command = [sys.executable, "-c", MEASURED, str(study), *words]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stderr.splitlines()[-1]
    status, seconds, memory = map(float, printed.split())
    assert status == 0, printed
    return seconds, memory


def reading(study: Path, runs: int) -> float:
    """Seconds that TensorBoard's own reader takes to read the event files of a study once."""
    folders = sorted(study.glob("*/seed=*"))[:: max(1, runs // READ)][:READ]
    start = time.perf_counter()
    for folder in folders:
        EventAccumulator(str(folder), size_guidance={"scalars": 0}).Reload()
    return (time.perf_counter() - start) / len(folders) * runs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=MANY, help=f"of the large study (default: {MANY})")
    both = (FEW, parser.parse_args().runs)
    rows: list[list[str]] = []
    with tempfile.TemporaryDirectory() as temporary:
        studies = {runs: Path(temporary) / f"study{runs}" for runs in both}
        for runs, study in studies.items():
            synthetic_study(study, runs)
        read = {runs: reading(study, runs) for runs, study in studies.items()}
        for word in ("status", "average", "compare", "report"):
            figures = [measure(study, word) for study in studies.values()]
            exponent = math.log(figures[1][0] / figures[0][0]) / math.log(both[1] / both[0])
            for runs, (seconds, memory) in zip(both, figures, strict=True):
                of_all = runs == both[-1]
                row = [word, str(runs), f"{seconds:.1f}", f"{memory:.0f}", f"{exponent:.2f}" if of_all else ""]
                rows.append(
                    [*row, f"{seconds / read[runs]:.3f}", *(_verdict(word, seconds / read[runs], memory, of_all))]
                )
    tables.publish("study_report", tables.markdown(HEADER, rows))


def _verdict(word: str, share: float, memory: float, of_all: bool) -> tuple[str, str]:
    """The target of the report of the large study, and whether it is reached."""
    if word != "report" or not of_all:
        return "", ""
    reached = share <= MOST_OF_READING and memory <= MOST_MIB
    return f"at most {MOST_OF_READING:g} and {MOST_MIB} MiB", "yes" if reached else "**no**"


if __name__ == "__main__":
    main()
