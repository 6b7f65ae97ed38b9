"""What a one-node Slurm reads: slurm.conf for this machine's cores and memory, a munge key, a pretended GPU, sacct."""

import os
import shlex
import socket
import stat
import sys
import tempfile
from pathlib import Path
from string import Template

HERE = Path(__file__).resolve().parent
MEMORY_SHARE = 0.9  # of the machine's, for the node


def write_configuration(folder: Path) -> None:
    """Fill a new or empty folder; `folder/run` becomes a link to a short path under /tmp."""
    for name in ("bin", "log", "pid"):
        (folder / name).mkdir(parents=True)
    run = _run_folder(folder)
    _write_munge_key(folder / "munge")
    _write_sacct(folder / "bin/sacct")
    host, cores, memory = socket.gethostname().split(".")[0], len(os.sched_getaffinity(0)), _node_memory_mb()
    controller_port, node_port = _free_ports(2)
    values = {"run": run, "host": host, "controller_port": controller_port, "node_port": node_port}
    values |= {"cores": cores, "memory": memory, "memory_per_core": memory // cores}
    values |= {"gpu": "Gres=gpu:1" if _pretend_gpu(run / "gpu0", folder / "gres.conf") else ""}
    (folder / "slurm.conf").write_text(Template((HERE / "slurm.conf.template").read_text()).substitute(values))


def _run_folder(folder: Path) -> Path:
    """Sockets, process ids and the state of the jobs, under a path that pytest's folders do not have.

    The path of a socket has 107 characters at most, everyone must be able to reach munge's, and slurm.conf knows no
    path with a space in it.
    """
    run = Path(tempfile.mkdtemp(prefix="slurm-", dir="/tmp"))
    run.chmod(0o755)
    (folder / "run").symlink_to(run)
    for name in ("spool", "state"):
        (run / name).mkdir()
    return run


def _write_munge_key(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    (folder / "key").touch(mode=0o600)
    (folder / "key").write_bytes(os.urandom(128))


def _write_sacct(file: Path) -> None:
    file.write_text(f'#!/bin/sh\nexec {shlex.join([sys.executable, str(HERE / "sacct.py")])} "$@"\n')
    file.chmod(0o755)


def _pretend_gpu(device: Path, gres_conf: Path) -> bool:
    """Declare a second /dev/null as a GPU: Slurm counts it, and numbers it for jobs that ask for one.

    Not every container permits it.
    """
    try:
        os.mknod(device, stat.S_IFCHR | 0o666, os.makedev(1, 3))
    except OSError:
        return False
    gres_conf.write_text(f"Name=gpu File={device}\n")
    return True


def _node_memory_mb() -> int:
    lines = Path("/proc/meminfo").read_text().splitlines()
    total_kb = next(int(line.split()[1]) for line in lines if line.startswith("MemTotal:"))
    return int(MEMORY_SHARE * total_kb / 1024)


def _free_ports(count: int) -> list[int]:
    servers = [socket.create_server(("", 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in servers]
    for server in servers:
        server.close()
    return ports
