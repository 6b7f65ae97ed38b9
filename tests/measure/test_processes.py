"""What two processes measure together is what one measures alone, though one of them may have no sample.

Run as a script, this file is the second process.
"""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import distributed, nn

from gradflow.measure.activation_sites import Site
from gradflow.measure.answers import Answers
from gradflow.measure.scores import Pass, task
from gradflow.measure.site_meters import Shown, SiteMeters, of_all_processes
from gradflow.measure.units import ActivityMeter, SlopeMeter

KINDS = {"classification": 4, "binary": 1, "regression": 1}
# How many samples of each batch the two processes have.
SHARES = {"unequal": [(3, 2), (3, 3), (1, 0)], "nothing at first": [(0, 4), (5, 2)], "never any": [(2, 0), (1, 0)]}


def scores(kind: str, batches: list[torch.Tensor]) -> dict[str, float]:
    """Of a pass over these rows."""
    generator = torch.Generator().manual_seed(0)
    outputs = torch.randn(12, KINDS[kind], generator=generator, dtype=torch.float64)
    targets = outputs[:, 0] + 1 if kind == "regression" else torch.arange(12) % max(2, KINDS[kind])
    what = task(kind, num_outputs=KINDS[kind])
    one = Pass(what, outputs.device)
    for rows in batches:
        z, y = outputs[rows], targets[rows]
        one.add(what.loss(z, y) if len(y) else z.sum(), z, y)
    return one.scores(kind)


def answers(batches: list[torch.Tensor]) -> dict[str, float]:
    """By position, of a classifier that is wrong about every third sample."""
    labels = torch.arange(12) % 4
    outputs = nn.functional.one_hot(torch.where(torch.arange(12) % 3 == 0, (labels + 1) % 4, labels), 4).double()
    what = task("classification", num_outputs=4)
    one = Pass(what, outputs.device, answers=Answers(torch.cat(batches), size=12))
    for rows in batches:
        z, y = outputs[rows], labels[rows]
        one.add(what.loss(z, y) if len(y) else z.sum(), z, y)
    found = one.answers()
    assert found is not None
    tested = int((found >= 0).sum())
    assert found.tolist() == [int(i % 3 != 0) if i < tested else -1 for i in range(12)]
    return {f"answer {i}": value for i, value in enumerate(found.tolist())}


def units(batches: list[torch.Tensor]) -> dict[str, int]:
    """Counts of a layer of five units, of which one is dead and two are dormant."""
    generator = torch.Generator().manual_seed(1)
    z = torch.randn(12, 5, 2, 2, generator=generator) * torch.tensor([1, 1, 1, 1e-3, 1])[:, None, None]
    z[:, 4] = -1.0
    slopes, activity = SlopeMeter(nn.ReLU()), ActivityMeter()
    for rows in batches:
        slopes.update(z[rows])
        activity.update(z[rows].relu())
    site = Site("relu", 0)
    together = of_all_processes(Shown({site: None}, {site: SiteMeters(5, slopes, activity)}, {})).meters[site]
    slopes, activity = together.slopes, together.activity
    assert slopes is not None
    assert activity is not None
    counts = {"dead": slopes.compute().dead, "low": slopes.compute().low, "dormant": activity.compute()}
    return {f"{name} {what}": int(n) for name, part in counts.items() for what, n in part._asdict().items()}


def everything(process: int | None) -> list[dict[str, float]]:
    """What a process finds with its share of the samples; None: with all of them."""
    found = []
    for shares in SHARES.values():
        whole = torch.arange(sum(map(sum, shares))).split([sum(pair) for pair in shares])
        batches = [
            rows if process is None else rows.split(pair)[process] for rows, pair in zip(whole, shares, strict=True)
        ]
        found.append(
            answers(batches)
            | units(batches)
            | {tag: value for kind in KINDS for tag, value in scores(kind, batches).items()}
        )
    return found


def together(process: int, store: Path) -> list[dict[str, float]]:
    """What this process finds, of two that meet in a file."""
    distributed.init_process_group("gloo", init_method=f"file://{store}", rank=process, world_size=2)
    try:
        return everything(process)
    finally:
        distributed.destroy_process_group()


@pytest.mark.slow
def test_two_processes_measure_what_one_does(tmp_path):
    with subprocess.Popen([sys.executable, __file__, str(tmp_path / "store")], stderr=subprocess.PIPE) as second:
        found = together(0, tmp_path / "store")
        _, complaints = second.communicate()
    assert (second.returncode, complaints) == (0, b"")
    for shares, ours, alone in zip(SHARES, found, everything(None), strict=True):
        assert ours == pytest.approx(alone, rel=1e-14), shares
        assert ours["dead size"] == 1
        assert ours["dormant size"] == 2


if __name__ == "__main__":
    together(1, Path(sys.argv[1]))
