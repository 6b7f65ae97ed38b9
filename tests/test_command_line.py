"""What the commands besides train.py share, and each of them on a screen that knows ASCII only."""

import argparse
import io
import signal

import pytest
from forged_runs import typical, write_run

import gradflow.advise.__main__ as advise
import gradflow.lesson.__main__ as lesson
import gradflow.reproductions.__main__ as reproductions
import gradflow.study.__main__ as study
from gradflow import command_line, terminal
from gradflow.errors import ConfigError

ESCAPE = "re\x1b[31mlu\u2028"


@pytest.fixture(autouse=True)
def signals_restored():
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (None, 0, ""),
        (ConfigError("key=value:\nremedy"), 2, "gradflow: key=value: remedy\n"),
        (ValueError("no such activation"), 2, "gradflow: no such activation\n"),
        (KeyboardInterrupt(), 130, "gradflow: interrupted\n"),
    ],
)
def test_exit_status_and_one_line(capsys, error, status, said):
    def command():
        if error is not None:
            raise error

    assert command_line.run(command) == status
    assert capsys.readouterr().err == said


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_command(capsys, number, status):
    assert command_line.run(lambda: signal.raise_signal(number)) == status
    assert capsys.readouterr().err == "gradflow: interrupted\n"


def test_what_quotes_have_kept_from_the_shell_is_expanded(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PLACE", "outputs")
    assert command_line.folder("$HOME/$PLACE") == tmp_path / "outputs"
    assert command_line.folder("~/${PLACE}") == tmp_path / "outputs"
    (tmp_path / "$odd").mkdir()
    assert command_line.folder("~/$odd") == tmp_path / "$odd"  # it exists


@pytest.mark.parametrize("typed", ["$NOSUCHVARIABLE/x", "~nosuchuser/x"])
def test_what_cannot_be_expanded_is_refused(typed):
    with pytest.raises(argparse.ArgumentTypeError, match="no such"):
        command_line.folder(typed)


@pytest.fixture
def ascii_screen(monkeypatch):
    """`ascii_screen()`: lets stdout and stderr take ASCII only; returns what they get."""

    def set_up():  # in the test itself: pytest puts its own streams in place before it
        screen = io.BytesIO()
        stream = io.TextIOWrapper(screen, encoding="ascii", errors="strict", write_through=True)
        monkeypatch.setattr("sys.stdout", stream)
        monkeypatch.setattr("sys.stderr", stream)
        monkeypatch.setattr(terminal, "console", terminal.PrintableConsole(highlight=False, width=120))
        return screen

    return set_up


@pytest.fixture
def odd_study(tmp_path):
    """Runs of an activation whose name could command a terminal."""
    folder = tmp_path / "study"
    for seed in range(3):
        for activation, accuracy in ((ESCAPE, 0.95), ("relu", 0.8)):
            run = typical(accuracy=accuracy + seed / 100)
            write_run(folder, activation=activation, seed=seed, **run)
    return folder


@pytest.mark.parametrize("command", ["status", "average", "compare"])
def test_the_study_commands_print_ascii_without_control_characters(ascii_screen, odd_study, command):
    screen = ascii_screen()
    assert study.main([str(odd_study), command]) == 0
    check(screen, names=command == "compare")  # the others show folders, whose names are legal ones


@pytest.mark.slow
def test_a_report_of_odd_names_is_whole(ascii_screen, odd_study):
    screen = ascii_screen()
    assert study.main([str(odd_study), "report"]) == 0
    check(screen)
    for file in odd_study.glob("report/*.*"):
        text = file.read_text(encoding="utf-8")
        if file.suffix != ".html":  # of the page, the drawing library is not ours
            assert "\x1b" not in text
            assert "\u2028" not in text
        assert "\\x1b" in text
    assert len(list(odd_study.glob("report/figures/*.pdf"))) > 5


@pytest.mark.parametrize("markdown", [False, True])
def test_advice_prints_ascii_without_control_characters(ascii_screen, odd_study, markdown):
    screen = ascii_screen()
    assert advise.main([str(odd_study), *["--markdown"] * markdown]) == 0
    assert advise.main(["--rules", *["--markdown"] * markdown]) == 0
    check(screen)


@pytest.mark.parametrize("command", [study, advise, reproductions, lesson])
def test_help_and_errors_print_ascii(ascii_screen, command):
    screen = ascii_screen()
    terminal.accept_every_character()
    with pytest.raises(SystemExit, match="0"):
        command.main(["--help"])
    wrong = {lesson: ["--seed=-1"], reproductions: ["--docs", "nowhere ±"]}.get(command, ["nowhere ±"])
    assert command.main(wrong) == 2
    check(screen)
    assert b"gradflow: " in screen.getvalue()


def check(screen: io.BytesIO, *, names: bool = False) -> None:
    text = screen.getvalue().decode("ascii")
    assert text
    assert "\x1b" not in text
    if names:
        assert "re\\x1b[31mlu\\u2028" in text
