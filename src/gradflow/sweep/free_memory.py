"""How much memory programs can have here: what the machine has free, within the limits of a container or a job."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

BOUNDLESS = 2**62  # bytes


class Names(NamedTuple):
    """What a version of Linux's control groups calls the same thing."""

    folder: str  # below /sys/fs/cgroup
    limit: str
    used: str
    droppable: str  # copies of files, which give way to whatever needs the memory


VERSION_1 = Names("memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
VERSION_2 = Names("", "memory.max", "memory.current", "inactive_file")


def free_memory(root: Path = Path("/")) -> int:
    """Bytes that this process and those it starts can have without swapping, and without being killed for them.

    Linux tells it, of the machine in /proc/meminfo and of containers and Slurm's jobs in their control groups; where
    nothing does, there is enough for anything.

    Args:
        root: of the file system.
    """
    return max(0, min((BOUNDLESS, *_of_machine(root), *_of_groups(root))))


def _of_machine(root: Path) -> Iterator[int]:
    try:
        lines = (root / "proc/meminfo").read_text().splitlines()
        yield int(dict(line.split(":") for line in lines)["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return


def _of_groups(root: Path) -> Iterator[int]:
    """What the group of this process has left, and each group around it."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for _, controllers, path in (line.split(":", 2) for line in lines):
        if controllers and "memory" not in controllers.split(","):
            continue
        names = VERSION_1 if controllers else VERSION_2
        top = root / "sys/fs/cgroup" / names.folder
        group = top / path.lstrip("/")
        for folder in (group, *group.parents):
            if folder.is_relative_to(top):
                yield from _left(folder, names)


def _left(group: Path, names: Names) -> Iterator[int]:
    try:
        limit, used = (int((group / name).read_text()) for name in (names.limit, names.used))  # "max" is no limit
        counts = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        yield limit - used + int(counts.get(names.droppable, 0))
    except (OSError, ValueError):
        return
