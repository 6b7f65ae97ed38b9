"""Whether a run grows with its epochs: bytes of last.ckpt and seconds of an epoch, early and late in one run.

    make bench

The network is so small that what an epoch does besides training takes most of its time.
"""

import itertools
import json
import subprocess
import sys
import tempfile
from statistics import median

import tables

EARLY, LATE = 10, 200  # epochs
MANY = 50  # at the beginning and at the end, of whose seconds the median is taken
BYTES, SECONDS = f"bytes of last.ckpt, epochs {EARLY} and {LATE}", f"seconds of the first and the last {MANY} epochs"
MOST = {BYTES: 1.01, SECONDS: 1.25}  # late over early; seconds vary by a tenth and more from minute to minute
HEADER = ("what", "early", "late", "late over early", "target", "reached")
WORDS = ("model=mlp", "width=4", "blocks=2", "data.batch_size=600", "callbacks.pictures=null", "trainer=cpu")
# Prints, for each epoch, when last.ckpt was written, in seconds, and its bytes.
TRAINED = """
import json, os, sys, time
from gradflow.sweep import cli
from gradflow.training.checkpoints import DurableCheckpointIO
save, seen = DurableCheckpointIO.save_checkpoint, []
def saved(self, checkpoint, path, *more, **options):
    save(self, checkpoint, path, *more, **options)
    if str(path).endswith("last.ckpt"):
        seen.append((time.perf_counter(), os.path.getsize(path)))
DurableCheckpointIO.save_checkpoint = saved
cli.main()
print(json.dumps(seen), file=sys.stderr)
"""


def epochs() -> list[tuple[float, int]]:
    """For each epoch of a run, when it ended in seconds, and the bytes of its last.ckpt."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", TRAINED, *WORDS, f"trainer.max_epochs={LATE}"]
        printed = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder).stderr
    seen: list[tuple[float, int]] = json.loads(printed.splitlines()[-1])
    assert len(seen) == LATE, f"last.ckpt was written {len(seen)} times"
    return seen


def seconds_of(ended: list[tuple[float, int]]) -> float:
    """The median seconds between the ends of epochs."""
    return median(after - before for (before, _), (after, _) in itertools.pairwise(ended))


def main() -> None:
    seen = epochs()
    sizes = {epoch: seen[epoch - 1][1] for epoch in (EARLY, LATE)}
    seconds = {EARLY: seconds_of(seen[: MANY + 1]), LATE: seconds_of(seen[-MANY - 1 :])}
    rows = []
    for (what, most), found, form in zip(MOST.items(), (sizes, seconds), (",.0f", ".4f"), strict=True):
        share = found[LATE] / found[EARLY]
        shown = [format(found[epoch], form) for epoch in (EARLY, LATE)]
        rows.append([what, *shown, f"{share:.3f}", f"at most {most:g}", "yes" if share <= most else "**no**"])
    tables.publish("epochs", tables.markdown(HEADER, rows))


if __name__ == "__main__":
    main()
