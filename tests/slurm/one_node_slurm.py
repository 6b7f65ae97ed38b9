"""A throwaway Slurm of one node: munged, slurmctld and slurmd on this machine, configured in a folder of their own.

    eval "$(python tests/slurm/one_node_slurm.py start FOLDER)"
    sbatch --wrap "sleep 5" && squeue
    python tests/slurm/one_node_slurm.py stop FOLDER

It starts in half a second, as root, with the packages of install.sh. Several can run side by side, each in its own
folder. Nothing is confined: a job sees all cores and all memory, whatever it asked for. The partition debug is the
default; a job in urgent preempts those in debug.
"""

import argparse
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from slurm_configuration import write_configuration

HERE = Path(__file__).resolve().parent
DAEMONS = ("munged", "slurmctld", "slurmd")  # in the order of their start
CLIENTS = ("sbatch", "scancel", "scontrol", "sinfo", "squeue", "srun")
PATIENCE_S = 120  # for a daemon to start or to end, and for jobs to end: KillWait is 10; a busy machine needs more


class SlurmError(RuntimeError):
    """A daemon did not start, or something did not end."""


@contextmanager
def one_node_slurm(folder: Path) -> Iterator[dict[str, str]]:
    """A running Slurm; yields the environment variables that lead to it."""
    environment = start(folder)
    try:
        yield environment
    finally:
        stop(folder)


def missing() -> str | None:
    """What keeps a Slurm from being started here, if anything."""
    absent = [program for program in (*DAEMONS, *CLIENTS) if shutil.which(program, path=_search_path()) is None]
    if absent:
        return f"no {', '.join(absent)} (sh {HERE / 'install.sh'})"
    return None if os.geteuid() == 0 else "not root"


def start(folder: Path) -> dict[str, str]:
    """Start a Slurm in a new or empty folder and wait until its node takes jobs.

    Returns:
        The environment variables that lead to it.

    Raises:
        SlurmError: if a daemon does not start, with the last lines of its log; none is left running.
    """
    folder = folder.resolve()
    if reason := missing():
        raise SlurmError(f"Slurm cannot be started here: {reason}")
    if folder.exists() and any(folder.iterdir()):
        raise SlurmError(f"{folder} is not empty: choose another folder, or remove it")
    environment = _environment(folder)
    try:
        write_configuration(folder)
        run, munge = (folder / "run").resolve(), folder / "munge"
        files = [f"--socket={run}/munge.sock", f"--pid-file={run}/munged.pid"]
        files += [f"--key-file={munge}/key", f"--seed-file={munge}/seed"]
        _start_daemon(folder, ["munged", "--foreground", *files], (run / "munge.sock").exists)
        _start_daemon(folder, ["slurmctld", "-D"], lambda: "is UP" in answer(environment, "scontrol", "ping"))
        _start_daemon(folder, ["slurmd", "-D"], lambda: _node_is_idle(environment))
    except BaseException:
        stop(folder)
        raise
    return environment


def stop(folder: Path) -> None:
    """Cancel all jobs and end the daemons; whatever is not running is passed over.

    Raises:
        SlurmError: if something is still there after PATIENCE_S.
    """
    folder = folder.resolve()
    environment = _environment(folder)
    left = []
    if _pid(folder, "slurmctld") and not cancel_jobs(environment):
        left.append("jobs")
    for name in reversed(DAEMONS):
        if pid := _pid(folder, name):
            os.kill(pid, signal.SIGTERM)
            if not wait_until(lambda name=name: _pid(folder, name) is None):
                left.append(f"{name} (process {pid})")
    if left:
        raise SlurmError(f"{folder}: still there after {PATIENCE_S} s: {', '.join(left)}")
    if (folder / "run").is_symlink():
        shutil.rmtree((folder / "run").readlink())
        (folder / "run").unlink()


def cancel_jobs(environment: dict[str, str]) -> bool:
    """Cancel all jobs; whether they have ended in time."""
    if answer(environment, "squeue", "--noheader"):
        answer(environment, "scancel", "--user=root")
    return wait_until(lambda: not answer(environment, "squeue", "--noheader"))


def wait_until(condition: Callable[[], object], *, seconds: float = PATIENCE_S) -> bool:
    """Whether the condition came true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True


def answer(environment: dict[str, str], *command: str) -> str:
    """What one of Slurm's commands prints; nothing if it fails."""
    return subprocess.run(command, env=os.environ | environment, capture_output=True, text=True).stdout


def _start_daemon(folder: Path, command: list[str], is_ready: Callable[[], bool]) -> None:
    """In the foreground of a session of its own: its process is known at once, and Ctrl-C does not reach it."""
    name, log = command[0], folder / "log" / f"{command[0]}.log"
    program = shutil.which(name, path=_search_path())
    log_as_output = (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    actions = [log_as_output, (os.POSIX_SPAWN_DUP2, 1, 2)]
    pid = os.posix_spawn(program, command, os.environ | _environment(folder), file_actions=actions, setsid=True)
    (folder / "pid" / name).write_text(str(pid))
    wait_until(lambda: _pid(folder, name) is None or is_ready())
    if _pid(folder, name) is None or not is_ready():
        last_lines = "\n".join(log.read_text().splitlines()[-10:])
        raise SlurmError(f"{name} did not start; the end of {log}:\n{last_lines}")


def _node_is_idle(environment: dict[str, str]) -> bool:
    states = answer(environment, "sinfo", "--noheader", "--format=%T").split()
    return set(states) == {"idle"}  # idle* is a node that does not answer yet


def _pid(folder: Path, name: str) -> int | None:
    """The process of a daemon, if it is running; a zombie that nobody has reaped yet is not."""
    with suppress(FileNotFoundError, ProcessLookupError):
        pid = int((folder / "pid" / name).read_text())
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        # "12 (slurmd) S 1 ...": the name, because the number may belong to another process by now.
        program, _, rest = Path(f"/proc/{pid}/stat").read_text().partition("(")[2].rpartition(")")
        if program == name and rest.split()[0] not in "ZX":
            return pid
    return None


def _environment(folder: Path) -> dict[str, str]:
    return {"SLURM_CONF": str(folder / "slurm.conf"), "PATH": f"{folder / 'bin'}:{_search_path()}"}


def _search_path() -> str:
    """PATH, and where the daemons are."""
    return f"{os.environ['PATH']}:/usr/sbin:/sbin"


def main() -> None:
    """The command line; start prints the environment variables as the shell reads them."""
    parser = argparse.ArgumentParser(description="A throwaway Slurm of one node.")
    parser.add_argument("action", choices=["start", "stop"])
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    try:
        if arguments.action == "stop":
            stop(arguments.folder)
            return
        for name, value in start(arguments.folder).items():
            print(f"export {name}={shlex.quote(value)}")
    except SlurmError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
