"""A running Slurm for tests that are marked slurm."""

from collections.abc import Iterator

import one_node_slurm
import pytest


@pytest.fixture(scope="session")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment variables that lead to a Slurm of one node; every worker of pytest-xdist has its own.

    Tests leave no job behind: the next one waits for its cores.
    """
    if reason := one_node_slurm.missing():
        pytest.skip(f"Slurm cannot be started here: {reason}")
    with one_node_slurm.one_node_slurm(tmp_path_factory.mktemp("slurm")) as environment:
        yield environment
