"""The table of all activations."""

import pytest
from torch import nn

from gradflow.lesson.experiments.explorer import MATRIX_PRODUCT, known
from gradflow.lesson.experiments.families import families
from gradflow.lesson.numbers import MINUS
from gradflow.lesson.sections.activation_table import HEADERS, flat_text, table

COSTS = {family.name: 1.0 for family in families()} | {"tanh": 3.21, MATRIX_PRODUCT: 84.0}


@pytest.mark.parametrize(
    ("module", "text"),
    [
        (nn.ReLU(), "z < 0"),
        (nn.ReLU6(), "z < 0, z > 6"),
        (nn.Hardtanh(-1, 1), "|z| > 1"),
        (nn.Hardtanh(-1, 2), f"z < {MINUS}1, z > 2"),
        (nn.Identity(), "nowhere"),
        (nn.LeakyReLU(0.1), "nowhere"),
        (nn.LeakyReLU(0.01), "z < 0"),
        (nn.GELU(), f"z < {MINUS}2.28, {MINUS}0.903 to {MINUS}0.633"),
    ],
)
def test_flat_ranges_in_words(module, text):
    assert flat_text(known(module).flat) == text


def test_a_row_says_what_is_known_of_its_function():
    made = table(COSTS)
    assert "took 84." in made.caption
    rows = {row.name: dict(zip(HEADERS, row.cells, strict=True)) for row in made.rows}
    assert len(rows) == len(families())
    tanh = rows["tanh"]
    assert (tanh["range"], tanh["largest slope"], tanh["zero-centred"]) == (f"{MINUS}1 to 1", "1", "yes")
    assert (tanh["flat"], tanh["cost"]) == ("|z| > 2.18", "3.2")
    assert rows["maxout"]["range"] == "learned"
