"""What a user runs: this checkout's train.py in a separate process, timed by the curves that it writes.

    python tests/benchmarks/our_runs.py experiment=mnist_adam activation=relu seed=0

The wall times of the points in TensorBoard's event files show when each epoch ended and when each step was taken, so
nothing is added to the timed run.
"""

import itertools
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import numpy as np
import processes
from processes import Failed, Finished

from gradflow.runs import events, folders, tags

USAGE_STATUS = 2  # train.py's exit status for wrong input


class Refused(Exception):
    """train.py does not accept its overrides."""


@dataclass(frozen=True)
class RunTimes:
    """One run folder.

    Attributes:
        first_step: when the first step was taken, in seconds since 1970.
        validations: when each epoch's validation ended, in seconds since 1970.
        steps: seconds between consecutive steps of one epoch.
    """

    first_step: float
    validations: list[float]
    steps: list[float]

    @property
    def bounds(self) -> list[tuple[float, float]]:
        """When each epoch from the third on began and ended, in seconds since 1970, validation and checkpoint included.

        The first checkpoint, with the imports that it needs, falls into the second.
        """
        return list(itertools.pairwise(self.validations[1:]))

    def trained_within(self, start: float, end: float) -> float:
        """Seconds between two moments in which the run was between its first step and its last validation."""
        return max(0.0, min(end, self.validations[-1]) - max(start, self.first_step))


@dataclass(frozen=True)
class Training:
    """One call of train.py: the process and the runs that it trained, by their folders below the output folder."""

    process: Finished
    runs: dict[str, RunTimes] = field(repr=False)

    @property
    def epochs(self) -> list[float]:
        """Seconds of every epoch of every run, except each run's first two."""
        return [end - start for run in self.runs.values() for start, end in run.bounds]

    @property
    def epochs_a_run(self) -> list[float]:
        """The same, each divided by the number of runs that trained meanwhile, averaged over the epoch's time.

        For runs side by side, what an epoch of one run costs all cores together.
        """
        runs = self.runs.values()
        bounds = [one for run in runs for one in run.bounds]
        return [(end - start) ** 2 / sum(run.trained_within(start, end) for run in runs) for start, end in bounds]

    @property
    def steps(self) -> list[float]:
        return [seconds for run in self.runs.values() for seconds in run.steps]

    @property
    def start_up(self) -> float:
        """Seconds from the start of the process to the first step of any run."""
        return min(run.first_step for run in self.runs.values()) - self.process.started

    @property
    def first_epoch(self) -> float:
        """Seconds from the start of the process to the end of the first epoch of any run."""
        return min(run.validations[0] for run in self.runs.values()) - self.process.started


def train(
    overrides: Sequence[str],
    *,
    data_dir: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Training:
    """Run `train.py` with these overrides in a temporary output folder.

    Args:
        data_dir: folder with MNIST.
        environment: variables to set.

    Raises:
        Refused: if train.py does not accept the overrides.
        Failed: if it fails in any other way.
    """
    with tempfile.TemporaryDirectory() as folder:
        places = [f"output_dir={folder}"] + ([] if data_dir is None else [f"data_dir={data_dir}"])
        # With -m, an override can list several values.
        command = [sys.executable, str(processes.ROOT / "train.py"), "-m", *overrides, *places]
        try:
            # With compile=true, nothing compiled earlier is reused.
            own = {"PYTHONPATH": str(processes.HERE), "TORCHINDUCTOR_CACHE_DIR": f"{folder}/compiled"}
            finished = processes.run(command, threads=None, environment=own | dict(environment or {}))
        except Failed as error:
            if error.status == USAGE_STATUS:
                raise Refused(error.last_line) from error
            raise
        found = sorted(file.parent for file in Path(folder).glob("**/run.json"))
        return Training(finished, {str(run.relative_to(folder)): _times(run) for run in found})


def _times(run_folder: Path) -> RunTimes:
    curves = (tags.TRAIN_LOSS_STEP, tags.val(tags.LOSS))
    steps, validations = (np.array(sorted(moments(run_folder, tag))) for tag in curves)
    # A step belongs to the epoch that ends at the first validation loss after it.
    epoch = np.searchsorted(validations, steps)
    within = epoch[1:] == epoch[:-1]
    return RunTimes(float(steps[0]), validations.tolist(), np.diff(steps)[within].tolist())


def moments(run_folder: Path, tag: str) -> Iterator[float]:
    """When each point of a curve was recorded, in seconds since 1970."""
    for file in run_folder.glob(folders.EVENT_FILES):
        for event in events.events(file):
            if any(value.tag == tag for value in event.summary.value):
                yield event.wall_time


def main() -> None:
    training = train(sys.argv[1:])
    print(f"{len(training.runs)} runs, {training.process.seconds:.1f} s, {training.process.peak_mib:.0f} MiB")
    print(f"start-up {training.start_up:.2f} s")
    if training.epochs:
        print(f"epoch {median(training.epochs):.3f} s")
    print(f"step {1000 * median(training.steps):.3f} ms")


if __name__ == "__main__":
    main()
