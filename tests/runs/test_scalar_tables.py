"""Scalars are read from many events at once as one by one, whatever a writer puts between them."""

import numpy as np
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary

from gradflow.runs import scalar_tables as module


def scalar_tables(events):
    return module.scalar_tables(one.SerializeToString() for one in events)


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


def at_once(tables):
    return {
        (int(table.order[row]), tag): (int(table.steps[row]), float(table.values[column, row]))
        for table in tables
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
    tables = scalar_tables(events)
    assert at_once(tables) == one_by_one(events)
    assert len(one_by_one(events)) == 5 * 8
    of_small_steps = [(list(table.tags), len(table.order)) for table in tables if table.steps[0] == 1]
    assert of_small_steps == [(tags, 2) for tags in (["a", "b"], ["b", "a"], [long, "c"], ["a", ""])]


def test_a_longer_step_is_told_from_a_longer_tag():
    events = [
        Event(wall_time=moment, step=step, summary=Summary(value=[scalar(tag, moment)]))
        for moment, (step, tag) in enumerate(
            [(1, "abc"), (300, "ab"), (2**14, "a"), (2, "abd"), (-1, "a"), (301, "ab")]
        )
    ]
    assert len({len(one.SerializeToString()) for one in events[1:4]}) == 1
    assert at_once(scalar_tables(events)) == one_by_one(events)


def test_fields_in_another_order_are_read_too():
    parts = [Event(summary=Summary(value=[scalar("a", 0.5)])), Event(step=7), Event(wall_time=1.5)]
    serialised = b"".join(part.SerializeToString() for part in parts)
    assert Event.FromString(serialised).SerializeToString() != serialised
    usual = event(8, scalar("a", 0.25)).SerializeToString()
    assert at_once(module.scalar_tables([serialised, usual, serialised])) == {
        (0, "a"): (7, 0.5),
        (1, "a"): (8, 0.25),
        (2, "a"): (7, 0.5),
    }


def test_points_are_by_step_and_of_one_step_as_they_were_written():
    (table,) = scalar_tables([event(step, scalar("a", place)) for place, step in enumerate([3, 1, 2, 1])])
    assert (table.steps.tolist(), table.values[0].tolist()) == ([1, 1, 2, 3], [1.0, 3.0, 2.0, 0.0])
    assert table.order.tolist() == [1, 3, 2, 0]


def test_values_keep_every_bit_of_a_float32():
    values = [0.0, -0.0, 1e-45, 3.4028234663852886e38, float("inf"), float("-inf"), float("nan")]
    (table,) = scalar_tables([event(step, scalar("a", value)) for step, value in enumerate(values, 1)])
    assert table.values[0].tobytes() == np.array(values, np.float32).astype(np.float64).tobytes()


def test_without_scalars_there_are_no_tables():
    assert scalar_tables([]) == []
    assert scalar_tables([Event(file_version="brain.Event:2")]) == []
