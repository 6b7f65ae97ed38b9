"""A running Slurm for tests that are marked slurm."""

from collections.abc import Iterator

import one_node_slurm
import pytest


@pytest.fixture(scope="session")
def _one_node_slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment variables that lead to a Slurm of one node; every worker of pytest-xdist has its own."""
    if reason := one_node_slurm.missing():
        pytest.skip(f"Slurm cannot be started here: {reason}")
    with one_node_slurm.one_node_slurm(tmp_path_factory.mktemp("slurm")) as environment:
        yield environment


@pytest.fixture
def slurm(_one_node_slurm: dict[str, str]) -> Iterator[dict[str, str]]:
    """A running Slurm without jobs: the environment variables that lead to it.

    Whatever a test leaves there is cancelled: the next one waits for its cores, and looks for a job of its own.
    """
    yield _one_node_slurm
    assert one_node_slurm.cancel_jobs(_one_node_slurm)
