"""One quick build for all tests of the page."""

import pytest

from gradflow.lesson.__main__ import main


@pytest.fixture(scope="session")
def lesson(tmp_path_factory):
    """The folder of a quick build."""
    folder = tmp_path_factory.mktemp("lesson") / "built"
    assert main(["--quick", "--output", str(folder)]) == 0
    return folder
