"""Seconds from the command to the first launch of 2,000 runs: all new, then all finished.

    make bench
    .venv/bin/python tests/benchmarks/planning.py --runs 500

Next to them stands what Hydra alone takes to compose every configuration, as its own sweeper does. The targets are a
twelfth of it for new runs, a sixteenth for finished ones, which have one small event file each.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import tables

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from forged_runs import HEADLINE, write_events

from gradflow.runs.integrity import event_entries
from gradflow.runs.record import State, read_record, write_record

RUNS, COMPOSED = 2000, 20
CONFIGURATIONS = ("activation=relu,sigmoid", "blocks=1,2,4,6,8")  # ten
MOST = {"new": 1 / 12, "finished": 1 / 16}  # of Hydra's seconds
HEADER = ("runs", "number", "seconds", "of them for imports", "peak MiB", "over Hydra's composing", "target", "reached")
# Stops where the launcher would start: prints the seconds of all, of the imports, and the peak in MiB.
PLANNED = """
import re, sys, time
from pathlib import Path
start = time.perf_counter()
from gradflow.sweep import cli, launch, live, next_steps, plan
imported = time.perf_counter()
launch.outlive = lambda todo, launcher: []
cli.main()
peak = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024
print(json.dumps([time.perf_counter() - start, imported - start, peak]), file=sys.stderr)
"""
# Seconds for each composition.
COMPOSING = """
import json, sys, time
from hydra import compose, initialize_config_dir
from gradflow import CONF
with initialize_config_dir(str(CONF), version_base="1.3"):
    compose("train")
    start = time.perf_counter()
    for seed in range(int(sys.argv[1])):
        compose("train", [f"seed={seed}", "activation=tanh", "blocks=2"])
    print(json.dumps([(time.perf_counter() - start) / int(sys.argv[1])]), file=sys.stderr)
"""


def figures(script: str, *words: str, folder: str) -> list[float]:
    """What a script prints last, run in a process and a folder of its own."""
    command = [sys.executable, "-c", f"import json\n{script}", *words]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder).stderr
    found: list[float] = json.loads(printed.splitlines()[-1])
    return found


def finish(study: Path) -> None:
    """Give every planned run a score and a curve."""
    for folder in study.glob("*/seed=*"):
        record = read_record(folder)
        assert record is not None
        write_events(folder, {"val/acc": [0.5, 0.9]})
        ended = {"state": State.FINISHED, "metrics": {HEADLINE: 0.9}, "events": event_entries(folder)}
        write_record(folder, record | ended)  # type: ignore[typeddict-item]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=RUNS, help=f"a multiple of ten (default: {RUNS})")
    number = parser.parse_args().runs
    words = ("-m", *CONFIGURATIONS, f"seed=range({number // 10})", "study=planned")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        composing = number * figures(COMPOSING, str(COMPOSED), folder=folder)[0]
        for kind, most in MOST.items():
            seconds, imports, peak = figures(PLANNED, *words, folder=folder)
            share = seconds / composing
            row = [kind, f"{number:,}", f"{seconds:.1f}", f"{imports:.1f}", f"{peak:.0f}", f"{share:.3f}"]
            rows.append([*row, f"at most {most:.3f}", "yes" if share <= most else "**no**"])
            finish(Path(folder, "outputs", "planned"))
    tables.publish("planning", tables.markdown(HEADER, rows))


if __name__ == "__main__":
    main()
