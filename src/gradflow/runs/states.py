"""What the state of a run says: what is left to do, where to start, why it is not finished."""

from gradflow.runs.record import DONE, Record, State

MAX_TIME = "trainer.max_time"  # the one limit after which the same command goes on


def is_over(record: Record) -> bool:
    """Whether the same command has nothing left to train.

    A run that `trainer.max_time` cut short goes on; any other limit would end it in the same place again.
    """
    return record["state"] in DONE or (record["state"] == State.CUT_SHORT and not _by_time(record))


def goes_on(record: Record) -> bool:
    """Whether the next attempt goes on from the last complete epoch; otherwise it starts from the beginning."""
    if record["state"] == State.FAILED:
        return record["error"] is not None and record["error"].get("may_pass", False)
    return record["state"] in (State.RUNNING, State.INTERRUPTED, State.CUT_SHORT)


def why(record: Record) -> str:
    """Why a run is not finished, in one line; empty where its state says it all."""
    if record["state"] == State.CUT_SHORT:
        return f"by {record['cut_short_by']}{', goes on with the same command' if _by_time(record) else ''}"
    error = record["error"]
    return (": ".join(filter(None, (error["type"], error["message"]))) if error else "").partition("\n")[0]


def state_shown(record: Record) -> str:
    """The state as texts have it: of a run that was cut short, by what too."""
    return f"{record['state']} {why(record)}" if record["state"] == State.CUT_SHORT else record["state"]


def _by_time(record: Record) -> bool:
    return (record["cut_short_by"] or "").startswith(f"{MAX_TIME}=")
