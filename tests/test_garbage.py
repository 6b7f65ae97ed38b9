"""Imports that the garbage collector leaves alone."""

import gc
import subprocess
import sys

import pytest

from gradflow import garbage

PROGRAM = """
import gc
from gradflow import garbage
collections = lambda: sum(generation["collections"] for generation in gc.get_stats())
before = collections()
with garbage.uncollected():
    import pandas
    during = collections() - before
print(during, gc.isenabled(), gc.get_freeze_count() > 10_000)
"""


def test_what_is_imported_is_neither_searched_meanwhile_nor_later():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("0 True True\n", "")


def test_where_nothing_is_imported_nothing_is_kept_from_later_searches():
    frozen = gc.get_freeze_count()
    with garbage.uncollected():
        pass
    assert gc.get_freeze_count() == frozen


def test_the_collector_is_left_as_it_was_whatever_the_import_raises():
    assert gc.isenabled()
    with pytest.raises(ModuleNotFoundError), garbage.uncollected():
        import no_such_module  # noqa: F401
    assert gc.isenabled()
    gc.disable()
    try:
        with garbage.uncollected():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
