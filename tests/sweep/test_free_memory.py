"""What memory a sweep's workers can have, from files as Linux writes them."""

import os
import sys

import pytest

from gradflow.sweep.free_memory import BOUNDLESS, free_memory

MEMINFO = "MemTotal:       16384000 kB\nMemAvailable:   12000000 kB\nHugePages_Total:       0\n"
MACHINE = 12_000_000 * 1024


def machine(root, groups, *, meminfo=MEMINFO, cgroup="0::/\n"):
    """A file system below `root` with control groups, given as {folder: {file: content}}."""
    files = {"proc": {"meminfo": meminfo}, "proc/self": {"cgroup": cgroup}, **groups}
    for folder, contents in files.items():
        (root / folder).mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            (root / folder / name).write_text(content)
    return root


def version_2(limit, used, inactive):
    return {
        "memory.max": f"{limit}\n",
        "memory.current": f"{used}\n",
        "memory.stat": f"anon 5\ninactive_file {inactive}\n",
    }


def test_without_limits_the_machine_has_what_it_says(tmp_path):
    groups = {"sys/fs/cgroup/user.slice": version_2("max", 100, 10)}
    assert free_memory(machine(tmp_path, groups, cgroup="0::/user.slice\n")) == MACHINE


def test_a_slurm_job_has_what_its_group_or_the_one_around_it_leaves(tmp_path):
    groups = {
        "sys/fs/cgroup/job_7": version_2(4_000_000_000, 1_500_000_000, 200_000_000),
        "sys/fs/cgroup/job_7/step_0": version_2("max", 900_000_000, 0),
    }
    assert free_memory(machine(tmp_path, groups, cgroup="0::/job_7/step_0\n")) == 2_700_000_000


def test_a_container_sees_its_own_group_at_the_top_whatever_its_path_says(tmp_path):
    groups = {"sys/fs/cgroup": version_2(2_000_000_000, 500_000_000, 0)}
    assert free_memory(machine(tmp_path, groups, cgroup="0::/docker/1f00\n")) == 1_500_000_000


def test_version_1_has_other_names_and_a_hierarchy_for_memory_alone(tmp_path):
    group = {
        "memory.limit_in_bytes": "3000000000\n",
        "memory.usage_in_bytes": "1000000000\n",
        "memory.stat": "inactive_file 7\ntotal_inactive_file 250000000\n",
    }
    lines = "9:name=systemd:/\n4:cpu,memory:/jobs/1:2\n2:cpu:/elsewhere\n0::/\n"
    assert free_memory(machine(tmp_path, {"sys/fs/cgroup/memory/jobs/1:2": group}, cgroup=lines)) == 2_250_000_000


def test_a_group_over_its_limit_has_nothing_left(tmp_path):
    groups = {"sys/fs/cgroup": version_2(1_000, 2_000, 0)}
    assert free_memory(machine(tmp_path, groups)) == 0


def test_where_nothing_tells_there_is_enough(tmp_path):
    assert free_memory(tmp_path) == BOUNDLESS
    assert free_memory(machine(tmp_path, {}, meminfo="no such format\n", cgroup="")) == BOUNDLESS


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_what_this_machine_tells_is_understood():
    assert 0 < free_memory() <= os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
