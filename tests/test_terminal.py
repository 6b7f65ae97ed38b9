"""A log that cannot be written costs one line on the screen."""

import logging
from pathlib import Path

import pytest

from gradflow import terminal


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_lines_that_a_full_disk_has_no_room_for_are_told_once(capsys):
    handler = terminal.log_to(Path("/dev/full"))
    try:
        for number in range(3):
            logging.getLogger("gradflow").warning("line %d", number)
    finally:
        terminal.stop_logging(handler)
    found = capsys.readouterr()
    assert found.err == ""
    assert [line for line in found.out.splitlines() if "missing" in line] == [
        "/dev/full: lines are missing (no space left on device)"
    ]
