"""One build of each kind for all tests of the page, one browser for a module."""

import pytest
from browsers import open_browser

from gradflow.lesson.__main__ import main


@pytest.fixture(scope="session")
def lesson(tmp_path_factory):
    """The folder of a quick build."""
    return _built(tmp_path_factory, "--quick")


@pytest.fixture(scope="session")
def live_only(tmp_path_factory):
    """The folder of a page of live parts alone, which takes seconds."""
    return _built(tmp_path_factory, "--live-only")


@pytest.fixture(scope="module")
def browser():
    with open_browser() as browser:
        yield browser


def _built(tmp_path_factory, form):
    folder = tmp_path_factory.mktemp("lesson") / "built"
    assert main([form, "--output", str(folder)]) == 0
    return folder
