"""A table keeps every word and number whole at any width, and leaves none out."""

import io
import re

import pytest
from rich.console import Console
from rich.text import Text

from gradflow.screen_table import Column, ScreenTable

NUMBERS = re.compile(r"[-+]?\d+\.\d+(?: ± \d+\.\d+)?")


def matrix(activations, depths):
    """Mean and spread by activation and depth, all different."""
    columns = [Column("activation", wraps=True), *(Column(f"blocks={depth}", is_number=True) for depth in depths)]
    values = [[f"0.{row}{at:02d} ± 0.0{row}{at}" for at in range(len(depths))] for row in range(len(activations))]
    rows = [[Text(name), *map(Text, cells)] for name, cells in zip(activations, values, strict=True)]
    return ScreenTable(columns, rows, is_matrix=True), sorted(value for row in values for value in row)


def printed(table, width):
    console = Console(file=io.StringIO(), width=width, highlight=False)
    console.print(table, crop=False)
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize("width", [200, 120, 80, 50, 30])
@pytest.mark.parametrize(
    ("activations", "depths"),
    [
        (["relu", "sigmoid"], [1, 2, 4, 6, 8, 16, 32, 64]),
        (["relu", "sigmoid", "tanh", "gelu", "selu", "elu", "mish"], [1, 2, 4, 6, 8]),
        (["leaky_relu(negative_slope=0.2), model.norm=batch", "relu, model.norm=none"], [1, 8]),
    ],
    ids=["many depths", "many activations", "long names"],
)
def test_every_number_is_there_once_and_whole_and_nothing_is_wider_than_the_screen(activations, depths, width):
    table, values = matrix(activations, depths)
    lines = printed(table, width)
    assert sorted(found for line in lines for found in NUMBERS.findall(line) if "±" in found) == values
    longest_word = max(len(word) for name in activations for word in name.split())
    assert max(map(len, lines)) <= max(width, longest_word)


def test_a_wide_matrix_is_turned_then_split_then_listed():
    two, _ = matrix(["relu", "sigmoid"], range(8))
    assert printed(two, 150)[1].count("blocks=") == 8
    assert [word for word in printed(two, 60)[1].split() if word.isalpha()] == ["relu", "sigmoid"]
    assert sum("blocks=" in line for line in printed(two, 60)) == 8
    seven, _ = matrix(["relu", "sigmoid", "tanh", "gelu", "selu", "elu", "mish"], range(8))
    assert sum("activation" in line for line in printed(seven, 80)) == 2
    assert printed(two, 24)[:3] == ["relu", "  blocks=0:", "    0.000 ± 0.000"]


def test_what_is_no_matrix_is_listed_where_it_is_too_wide():
    columns = [Column("", wraps=True), Column("at"), Column("pairs", wraps=True), Column("p", is_number=True)]
    rows = [[Text("tanh"), Text("blocks=4"), Text("0:-0.1 1:+0.2 2:-0.3"), Text("0.5")]]
    table = ScreenTable(columns, rows, leading=2)
    assert any("0:-0.1 1:+0.2 2:-0.3" in line for line in printed(table, 60))
    assert [line.split("│")[3].strip() for line in printed(table, 41)[3:5]] == ["0:-0.1 1:+0.2", "2:-0.3"]
    assert printed(table, 25) == ["tanh, blocks=4", "  pairs: 0:-0.1 1:+0.2", "    2:-0.3", "  p: 0.5"]
