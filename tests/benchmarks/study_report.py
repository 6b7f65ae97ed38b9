"""Seconds and peak memory of `python -m gradflow.study` on synthetic studies, and their growth with the number of runs.

    make bench

Ten activations, five depths and as many seeds as needed; every run has the curves of the default sweep (10 epochs of 38
steps). The limits for 1,000 runs are a minute and 1 GiB.
"""

import math
import subprocess
import sys
import tempfile
from pathlib import Path

import tables

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from forged_runs import typical, write_run

RUNS = (100, 1000)
ACTIVATIONS = ("relu", "sigmoid", "tanh", "elu", "gelu", "silu", "mish", "selu", "celu", "softplus")
DEPTHS = (1, 2, 4, 6, 8)
HEADER = ("command", "runs", "seconds", "peak MiB", "seconds grow as runs to the power")
MEASURED = """
import resource, sys, time
start = time.perf_counter()
from gradflow.study.__main__ import main
status = main(sys.argv[1:])
print(status, time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, file=sys.stderr)
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


def main() -> None:
    rows: list[list[str]] = []
    with tempfile.TemporaryDirectory() as temporary:
        studies = {runs: Path(temporary) / f"study{runs}" for runs in RUNS}
        for runs, study in studies.items():
            synthetic_study(study, runs)
        for word in ("status", "average", "compare", "report"):
            figures = [measure(study, word) for study in studies.values()]
            exponent = math.log(figures[1][0] / figures[0][0]) / math.log(RUNS[1] / RUNS[0])
            for runs, (seconds, memory) in zip(RUNS, figures, strict=True):
                grows = f"{exponent:.2f}" if runs == RUNS[-1] else ""
                rows.append([word, str(runs), f"{seconds:.1f}", f"{memory:.0f}", grows])
    tables.publish("study_report", tables.markdown(HEADER, rows))


if __name__ == "__main__":
    main()
