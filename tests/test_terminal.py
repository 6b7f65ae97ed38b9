"""Nothing that a name holds reaches the screen raw, and nothing fails because the screen lacks a character."""

import io
import logging
from pathlib import Path

import pytest
from rich.table import Table
from rich.text import Text

from gradflow import terminal

ESCAPE = "re\x1b[31mlu"  # what colours a terminal, and could clear it


@pytest.fixture
def printed(monkeypatch):
    """`printed(encoding)`: makes the screen one of this encoding; returns what it has got so far."""

    def set_up(encoding="utf-8"):
        screen = io.BytesIO()
        stream = io.TextIOWrapper(screen, encoding=encoding, errors="strict", write_through=True)
        monkeypatch.setattr("sys.stdout", stream)
        monkeypatch.setattr("sys.stderr", stream)
        terminal.accept_every_character()
        monkeypatch.setattr(terminal, "console", terminal.PrintableConsole(highlight=False, width=120))
        return lambda: screen.getvalue().decode(encoding)

    return set_up


@pytest.mark.parametrize(
    ("character", "shown"),
    [("\x1b", "\\x1b"), ("\u2028", "\\u2028"), ("\x9b", "\\x9b"), ("\u202e", "\\u202e")],
    ids=["escape", "line separator", "control sequence", "direction"],
)
def test_control_characters_are_spelled_out_wherever_they_are(printed, character, shown):
    text = printed()
    name = f"a{character}b"
    terminal.say(name)
    terminal.complain(name)
    table = Table(name)
    table.add_row(Text(name))
    terminal.show(table)
    terminal.configure()
    logging.getLogger("test").warning("%s", name)
    assert character not in text()
    assert text().count(f"a{shown}b") >= 2  # a column of the table is as wide as the name is on a screen


def test_file_names_that_are_not_utf_8_are_printed(printed):
    text = printed()
    terminal.say("a\udcffb")
    assert text() == "a\\udcffb\n"


def test_a_line_stays_a_line(printed):
    text = printed()
    terminal.say("one\ntwo")
    terminal.complain("three\nfour\r\nfive")
    assert text() == "one\\ntwo\ngradflow: three four five\n"


def test_the_colours_of_the_package_itself_are_left(monkeypatch):
    screen = io.StringIO()
    console = terminal.PrintableConsole(file=screen, force_terminal=True, color_system="standard", highlight=False)
    console.print(Text(ESCAPE, style="red"))
    assert screen.getvalue() == "\x1b[31mre\\x1b[31mlu\x1b[0m\n"


def test_characters_that_the_screen_lacks_take_a_form_that_it_has(printed):
    text = printed("ascii")
    table = Table("±")
    table.add_row("0.9 ± 0.1")
    terminal.show(table)
    terminal.say("×0.5 … é λ −1 10⁻³")  # noqa: RUF001
    terminal.complain("“±”")
    print("±")
    assert "| 0.9 +/- 0.1 |" in text()
    assert "+-" in text()  # rich draws the table in ASCII by itself
    assert 'x0.5 ... e ? -1 10?3\ngradflow: "+/-"\n+/-\n' in text().replace("10-3", "10?3")


def test_a_screen_that_has_them_shows_them_as_they_are(printed):
    text = printed("latin-1")
    terminal.say("0.9 ± 0.1, × 2, −1")  # noqa: RUF001
    assert text() == "0.9 ± 0.1, × 2, -1\n"  # noqa: RUF001


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


def test_on_a_terminal_sentences_are_wrapped_between_words_and_commands_are_not(monkeypatch):
    stream = io.StringIO()
    console = terminal.PrintableConsole(file=stream, force_terminal=True, width=30, color_system=None)
    monkeypatch.setattr(terminal, "console", console)
    terminal.say("2 runs to train in /a/path/that/is/longer/than/the/screen")
    terminal.say_whole("python train.py -m activation=relu,tanh blocks=1,2,4,8")
    assert stream.getvalue() == (
        "2 runs to train in\n  /a/path/that/is/longer/than/the/screen\n"
        "python train.py -m activation=relu,tanh blocks=1,2,4,8\n"
    )


def test_outside_terminals_every_sentence_is_a_line(printed):
    text = printed()
    terminal.say("word " * 60)
    assert text() == "word " * 60 + "\n"


def test_a_page_is_an_address_to_click_on_and_elsewhere_its_path(monkeypatch, tmp_path, printed):
    text = printed()
    page = tmp_path / "two words" / "index.html"
    terminal.say_whole(Text("report: ") + terminal.page(page))
    assert text() == f"report: {page}\n"
    stream = io.StringIO()
    monkeypatch.setattr(terminal, "console", terminal.PrintableConsole(file=stream, force_terminal=True, width=30))
    terminal.say_whole(Text("report: ") + terminal.page(page))
    address = f"file://{tmp_path}/two%20words/index.html"
    assert stream.getvalue().count(address) == 2  # what is seen, and where it leads
    assert f";{address}\x1b\\{address}\x1b]8;;\x1b\\\n" in stream.getvalue()
