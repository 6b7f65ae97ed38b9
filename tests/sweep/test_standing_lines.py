"""The live display at any width: no line is wider than the screen, and no letter is cut off."""

import io

import pytest
from rich.console import Console

from gradflow.runs.progress import Progress
from gradflow.sweep.progress import Running, Standing
from gradflow.sweep.standing_lines import lines

RUNNING = (
    Running(12, ("relu", "blocks=4", "model.norm=batch", "seed=0"), Progress(1.2, 10, "val/acc 0.912")),
    Running(13, ("leaky_relu", "blocks=16", "model.norm=batch", "seed=0"), None),
)


def shown(width, *, of=80, running=RUNNING, height=40, seconds_left=700.0):
    standing = Standing(of, 11, 1, 0.25, seconds_left, running, ())
    console = Console(file=io.StringIO(), width=width, highlight=False)
    for line in lines(standing, width=width, height=height):
        console.print(line, crop=False)
    return console.file.getvalue().splitlines()


def test_with_room_everything_is_there():
    sweep, first, second = shown(120)
    assert sweep.startswith("11 of 80 runs, 1 failed  ━")
    assert sweep.rstrip().endswith("about 12 min left")
    assert first == "  run 12  relu, blocks=4, model.norm=batch, seed=0         epoch 2 of 10  val/acc 0.912"
    assert second == "  run 13  leaky_relu, blocks=16, model.norm=batch, seed=0  starting"


@pytest.mark.parametrize(
    ("width", "first"),
    [
        (80, "  run 12  relu, blocks=4, model.norm=batch, seed=0         epoch 2 of 10"),
        (60, "  run 12  relu, blocks=4, model.norm=batch, seed=0"),
        (40, "  run 12  relu, blocks=4"),
    ],
)
def test_columns_go_from_the_right_and_names_part_by_part(width, first):
    found = shown(width)
    assert found[1] == first
    assert max(map(len, found)) <= width


def test_the_bar_goes_before_the_time_does():
    assert shown(46)[0].rstrip() == "11 of 80 runs, 1 failed  about 12 min left"
    assert shown(30)[0].rstrip() == "11 of 80 runs, 1 failed"


def test_no_time_is_shown_as_long_as_it_is_unknown():
    assert "left" not in "".join(shown(120, seconds_left=None))


def test_many_at_a_time_are_counted():
    many = tuple(Running(n, ("relu", f"seed={n}"), None) for n in range(40))
    assert [line.split()[:2] for line in shown(80, running=many)[1:]] == [["run", str(n)] for n in range(8)] + [
        ["and", "32"]
    ]
    assert len(shown(80, running=many, height=6)) == 5


def test_a_single_run_has_one_line():
    (line,) = shown(80, of=1, running=RUNNING[:1])
    assert line.startswith("epoch 2 of 10  ━")
    assert line.rstrip().endswith("val/acc 0.912  about 12 min left")
    assert shown(34, of=1, running=RUNNING[:1])[0].rstrip() == "epoch 2 of 10  about 12 min left"
