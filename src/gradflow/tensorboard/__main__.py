"""`python -m gradflow.tensorboard FOLDER`: TensorBoard for studies, opened at what answers their question."""

import argparse
import getpass
import os
import socket
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from gradflow import command_line, invocation
from gradflow.errors import ConfigError
from gradflow.runs import folders
from gradflow.study.averages import average_study
from gradflow.study.records import study_runs, study_with_runs
from gradflow.tensorboard.first_look import BoardStudy, bands_page, query
from gradflow.tensorboard.folder import served
from gradflow.tensorboard.serve import has_read, start, until_ctrl_c, work
from gradflow.terminal import say


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    options = _parser().parse_args(arguments)
    return command_line.run(lambda: _serve(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=invocation.tool("tensorboard"), description=command_line.purpose(__doc__))
    parser.add_argument(
        "folder", type=command_line.folder, help="of a study, e.g. outputs/digits_conv, or of several, e.g. outputs"
    )
    parser.add_argument("--port", type=int, help="by default the first free one from 6006 on")
    parser.add_argument("--no-browser", action="store_true", help="print the address only")
    parser.add_argument(
        "--output",
        type=command_line.folder,
        metavar="FOLDER",
        help="where to write averages, if not into the study, e.g. because it is somebody else's",
    )
    return parser


def _serve(options: argparse.Namespace) -> None:
    studies = [_averaged(study) for study in _studies(options.folder, options.output)]
    if not any(study.seeds for study in studies):
        raise ConfigError(f"{options.folder}: no run has curves yet; they come with the first epoch")
    for study in studies:
        if not study.means:
            say(f"{study.folder}: no finished run to average yet; every run is shown")
    with served(options.folder, studies) as shown, until_ctrl_c():
        address = start(str(shown.folder), port=options.port, query=query(studies))
        all_read = has_read(address, shown.awaited)
        if shown.left_out:
            say(f"{shown.left_out}; tensorboard --logdir {options.folder} has all")
        say(f"TensorBoard: {address} (Ctrl-C ends it)", style="bold")
        if bands := bands_page(studies):
            say(f"intervals as bands: {address}/{bands}")
        port = urlsplit(address).port
        say(f"from another machine: ssh -N -L {port}:127.0.0.1:{port} {getpass.getuser()}@{socket.gethostname()}")
        if not all_read:
            say("TensorBoard is still reading: reload the page for more runs")
        if not options.no_browser and _is_desktop():
            webbrowser.open(address)
        work()


def _studies(folder: Path, output: Path | None) -> list[BoardStudy]:
    """The study, or those in the folder, by name.

    Raises:
        ConfigError: if there are no runs.
    """
    run_files = f"*/{folders.seed_folder('*')}/{folders.RUN_FILE}"
    if any(folder.glob(run_files)):
        return [BoardStudy(name="", folder=folder, place=output or folder, records=study_with_runs(folder))]
    inside = sorted({file.parents[2] for file in folder.glob(f"*/{run_files}")})
    found = [(one, records) for one in inside if (records := study_runs(one))]
    if not found:
        raise ConfigError(f"{folder}: no runs here; name a study, e.g. outputs/digits_conv, or a folder of studies")
    return [
        BoardStudy(name=f"{one.name}/", folder=one, place=output / one.name if output else one, records=records)
        for one, records in found
    ]


def _averaged(study: BoardStudy) -> BoardStudy:
    """The study, its averages brought up to date if they may be written."""
    try:
        average_study(study.folder, study.records, output=study.place, stale_only=True)
    except ConfigError as error:
        say(f"averages are not up to date: {error}")
    return study


def _is_desktop() -> bool:
    """Whether a person sees this terminal and the screen of this machine."""
    has_screen = sys.platform in ("darwin", "win32") or bool({"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys())
    return has_screen and sys.stdout.isatty() and "SSH_CONNECTION" not in os.environ


if __name__ == "__main__":
    sys.exit(main())
