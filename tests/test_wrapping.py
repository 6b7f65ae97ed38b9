"""Paragraphs are broken at spaces alone, whatever the width."""

import io

import pytest
from rich.console import Console
from rich.text import Text

from gradflow.wrapping import Wrapped, packed, wrapped


def printed(renderable, width):
    console = Console(file=io.StringIO(), width=width, highlight=False)
    console.print(renderable, crop=False)
    return console.file.getvalue().splitlines()


def test_lines_are_as_full_as_words_allow_and_later_ones_may_hang():
    assert printed(Wrapped("one two three four", hanging=2), 9) == ["one two", "  three", "  four"]
    assert printed(Wrapped("  one two three"), 9) == ["  one two", "  three"]


def test_a_word_wider_than_the_screen_stays_whole():
    address = "file:///a/very/long/path/index.html"
    assert printed(Wrapped(f"report: {address} is written"), 12) == ["report:", address, "is written"]


def test_a_no_break_space_and_wide_characters_count_as_they_are_shown():
    assert printed(Wrapped("about 95\N{NO-BREAK SPACE}% sure"), 9) == ["about", "95 % sure"]
    assert printed(Wrapped("層層 層層"), 8) == ["層層", "層層"]  # two columns each


@pytest.mark.parametrize("width", [5, 9, 14, 40])
def test_no_letter_and_no_style_is_lost(width):
    text = Text.assemble("seed: ", ("0:-0.1 1:+0.25", "bold"), " and more")
    lines = wrapped(text, width)
    assert " ".join(line.plain for line in lines) == text.plain
    bold = "".join(line.plain[span.start : span.end] for line in lines for span in line.spans if span.style == "bold")
    assert bold.replace(" ", "") == "0:-0.11:+0.25"


def test_items_share_lines_where_they_fit():
    items = [Text(one) for one in ("mean: 1", "p: 0.5", "interval: [0, 1]", "n: 3")]
    assert [line.plain for line in packed(items, 16)] == ["mean: 1; p: 0.5", "interval: [0, 1]", "n: 3"]
