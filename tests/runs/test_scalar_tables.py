"""Scalars are read from many events at once as one by one, whatever a writer puts between them."""

import numpy as np
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary

from gradflow.runs.scalar_tables import scalar_tables


def event(step, *values):
    return Event(step=step, summary=Summary(value=values))


def scalar(tag, value, **more):
    return Summary.Value(tag=tag, simple_value=value, **more)


def one_by_one(events):
    """(position, tag) -> (step, value), asking protobuf for each."""
    return {
        (position, value.tag): (one.step, value.simple_value)
        for position, one in enumerate(events)
        for value in one.summary.value
        if value.HasField("simple_value")
    }


def at_once(events):
    return {
        (int(table.order[row]), tag): (int(table.steps[row]), float(table.values[row, column]))
        for table in scalar_tables(events)
        for row in range(len(table.order))
        for column, tag in enumerate(table.tags)
    }


def test_layouts_that_alternate_and_have_one_length_are_told_apart():
    rng = np.random.default_rng(0)
    long = "grad_rms/" + "x" * 200  # its length takes two bytes
    text = Summary.Value(tag="t", metadata={"plugin_data": {"plugin_name": "text"}})
    events = [Event(file_version="brain.Event:2"), Event(step=7)]
    for step in (0, 1, 300, 2**40, 1):
        events += [
            event(step, scalar("a", rng.normal()), scalar("b", rng.normal())),
            event(step, scalar("b", rng.normal()), scalar("a", 0.0)),
            event(step, scalar(long, -rng.normal()), text, scalar("c", 1e-42)),
            event(step, text),
            event(step, scalar("a", rng.normal(), metadata={"display_name": "A"}), scalar("", 2.0)),
        ]
    assert at_once(events) == one_by_one(events)
    assert len(at_once(events)) == 5 * 8
    tables = scalar_tables(events)
    assert [(list(table.tags), len(table.order)) for table in tables] == [
        (tags, 5) for tags in (["a", "b"], ["b", "a"], [long, "c"], ["a", ""])
    ]


def test_values_keep_every_bit_of_a_float32():
    values = [0.0, -0.0, 1e-45, 3.4028234663852886e38, float("inf"), float("-inf"), float("nan")]
    (table,) = scalar_tables([event(step, scalar("a", value)) for step, value in enumerate(values)])
    assert table.values[:, 0].tobytes() == np.array(values, np.float32).astype(np.float64).tobytes()


def test_without_scalars_there_are_no_tables():
    assert scalar_tables([]) == []
    assert scalar_tables([Event(file_version="brain.Event:2")]) == []
