"""What a state says is left to do, where to start, and why a run is not finished."""

import pytest
from forged_runs import run_record

from gradflow.runs.record import error_entry
from gradflow.runs.states import goes_on, is_over, state_shown, why

TIME, STEPS = "trainer.max_time=00:01:00:00", "trainer.max_steps=50, trainer.limit_val_batches=2"


@pytest.mark.parametrize(
    ("state", "more", "over", "on"),
    [
        ("planned", {}, False, False),
        ("running", {}, False, True),
        ("finished", {}, True, False),
        ("diverged", {}, True, False),
        ("interrupted", {"error": error_entry(KeyboardInterrupt())}, False, True),
        ("failed", {"error": error_entry(MemoryError(), may_pass=True)}, False, True),
        ("failed", {"error": error_entry(ValueError())}, False, False),
        ("failed", {"error": {"type": "MemoryError", "message": "", "traceback": []}}, False, False),  # of before
        ("failed", {}, False, False),
        ("cut_short", {"cut_short_by": TIME}, False, True),
        ("cut_short", {"cut_short_by": STEPS}, True, True),
    ],
)
def test_a_state_says_what_is_left_to_do_and_where_to_start(state, more, over, on):
    record = run_record(state="planned") | {"state": state} | more
    assert (is_over(record), goes_on(record)) == (over, on)


def test_why_a_run_is_not_finished_is_one_line():
    cut = run_record(state="planned") | {"state": "cut_short", "cut_short_by": STEPS}
    assert why(cut) == f"by {STEPS}"
    assert why(cut | {"cut_short_by": TIME}) == f"by {TIME}, goes on with the same command"
    assert state_shown(cut) == f"cut_short by {STEPS}"
    failed = run_record(state="planned") | {"state": "failed", "error": error_entry(OSError("first\nsecond"))}
    assert (why(failed), state_shown(failed)) == ("OSError: first", "failed")
    assert why(failed | {"error": error_entry(KeyboardInterrupt())}) == "KeyboardInterrupt"
    assert why(run_record(state="planned")) == ""
