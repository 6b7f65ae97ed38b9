"""Processes that see different batches, and different sites, pool what they saw; none waits for another for ever."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import torch
from torch import distributed, nn

from gradflow.measure.unit_pass import UnitPass

BATCHES = torch.randn(5, 7, 4, generator=torch.Generator().manual_seed(0))


class Uneven(nn.Module):
    """Calls a second activation on some batches only."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layer, self.second = nn.Linear(4, 6), False
        nn.init.constant_(self.layer.bias[:2], -100)

    def forward(self, x):
        a = torch.relu(self.layer(x) - 1)
        return torch.tanh(a) if self.second else a


def values(process=None):
    """What a process finds in every second batch; None: in all."""
    network = Uneven()
    unit_pass = UnitPass(network)
    with torch.inference_mode(), unit_pass:
        for i, x in enumerate(BATCHES):
            network.second = i % 2 == 1
            if process is None or i % 2 == process:
                network(x)
    return unit_pass.values()


def together(process, store):
    """What this process finds, of two that meet in a file."""
    options = {"init_method": f"file://{store}", "rank": process, "world_size": 2, "timeout": timedelta(seconds=60)}
    distributed.init_process_group("gloo", **options)
    try:
        return values(process)
    finally:
        distributed.destroy_process_group()


@pytest.mark.slow
def test_two_processes_find_what_one_does(tmp_path):
    with subprocess.Popen([sys.executable, __file__, str(tmp_path / "store")], stderr=subprocess.PIPE) as second:
        found = together(0, tmp_path / "store")
        _, complaints = second.communicate()
    assert (second.returncode, complaints) == (0, b"")
    assert found == values()
    assert 0 < found["dead_units/00_relu"] < 1
    assert "dead_units/01_tanh" in found


if __name__ == "__main__":
    together(1, Path(sys.argv[1]))
