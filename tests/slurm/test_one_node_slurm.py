"""The throwaway Slurm itself: jobs run, are preempted, queued again and killed as on a cluster, and nothing is left."""

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import one_node_slurm
import pytest
import slurm_configuration
from one_node_slurm import answer, wait_until

pytestmark = [pytest.mark.slurm, pytest.mark.slow]

# A job that goes on until it is told to stop; on its second start it only says so.
PATIENT_JOB = """#!/bin/bash
echo "start ${SLURM_RESTART_COUNT:-0} of $SLURM_JOB_ID"
[ "${SLURM_RESTART_COUNT:-0}" = 0 ] || exit 0
trap 'echo "told to stop"; scontrol requeue $SLURM_JOB_ID; exit 1' USR2
while true; do sleep 0.1; done
"""


@pytest.fixture
def submit(slurm: dict[str, str], tmp_path: Path) -> Callable[..., tuple[str, Path]]:
    """`submit(script, *options)`: the job's id and the file that its output goes to."""

    def submit_script(script: str, *options: str) -> tuple[str, Path]:
        file = tmp_path / "job.sh"
        file.write_text(script if script.startswith("#!") else f"#!/bin/sh\n{script}\n")
        command = ["sbatch", "--parsable", "--open-mode=append", f"--output={tmp_path}/%j.out", *options, str(file)]
        outcome = subprocess.run(command, env=os.environ | slurm, capture_output=True, text=True, check=True)
        job = outcome.stdout.strip()
        return job, tmp_path / f"{job}.out"

    return submit_script


@pytest.fixture
def state(slurm: dict[str, str]) -> Callable[[str], str]:
    """`state(job)` as submitit asks for it, from sacct."""

    def ask(job: str) -> str:
        lines = answer(slurm, "sacct", "-o", "JobID,State,NodeList", "--parsable2", "-j", job).splitlines()
        assert lines[0] == "JobID|State|NodeList"
        return next((line.split("|")[1] for line in lines[1:] if line.startswith(f"{job}|")), "UNKNOWN")

    return ask


def test_a_job_runs_and_its_output_appears(submit, state):
    job, output = submit("echo job $SLURM_JOB_ID on $SLURM_JOB_PARTITION")
    assert wait_until(lambda: state(job) == "COMPLETED")
    assert output.read_text() == f"job {job} on debug\n"


def test_a_job_that_asks_for_a_gpu_is_told_its_number(slurm, submit, state):
    if "gpu" not in answer(slurm, "sinfo", "--noheader", "--format=%G"):
        pytest.skip("device files cannot be made here")
    job, output = submit("echo $CUDA_VISIBLE_DEVICES", "--gres=gpu:1")
    assert wait_until(lambda: state(job) == "COMPLETED")
    assert output.read_text() == "0\n"


def test_an_urgent_job_preempts_one_that_is_told_and_runs_again_under_its_id(submit, state):
    all_cores = f"--cpus-per-task={len(os.sched_getaffinity(0))}"
    job, output = submit(PATIENT_JOB, all_cores, "--requeue", "--time=10", "--signal=B:USR2@60")
    assert wait_until(output.exists)
    urgent, _ = submit("sleep 1", all_cores, "--partition=urgent")
    assert wait_until(lambda: state(urgent) == "COMPLETED")
    assert wait_until(lambda: state(job) == "COMPLETED")
    said = [line for line in output.read_text().splitlines() if line.startswith(("start", "told"))]
    assert said == [f"start 0 of {job}", "told to stop", f"start 1 of {job}"]


def test_a_job_is_queued_again_from_outside(slurm, submit, state):
    job, output = submit(PATIENT_JOB, "--requeue")
    assert wait_until(output.exists)
    answer(slurm, "scontrol", "requeue", job)
    assert wait_until(lambda: state(job) == "COMPLETED")
    assert f"start 1 of {job}" in output.read_text()
    assert "told to stop" not in output.read_text()


def test_sacct_reports_a_killed_job_as_failed(submit, state):
    job, output = submit("srun --ntasks=1 sh -c 'echo $$; exec sleep 60'")
    assert wait_until(lambda: output.exists() and output.read_text())
    assert state(job) == "RUNNING"
    os.kill(int(output.read_text().split()[0]), signal.SIGKILL)
    assert wait_until(lambda: state(job) == "FAILED")


def test_sacct_leaves_unknown_jobs_out_and_submitit_reads_its_ranges(slurm, submit):
    watcher = pytest.importorskip("submitit.slurm.slurm").SlurmInfoWatcher()
    job, _ = submit("sleep 60", "--array=0-3%1", "--hold")
    command = ["sacct", "-o", "JobID,State,NodeList", "--parsable2", "-j", "999999", "-j", job]
    states = {task: entry["State"] for task, entry in watcher.read_info(answer(slurm, *command)).items()}
    assert states == {f"{job}_{task}": "PENDING" for task in range(4)}


def test_the_command_line_starts_a_slurm_and_stops_it_with_its_stubborn_jobs(slurm, tmp_path):
    folder = tmp_path / "slurm"
    command = shlex.join([sys.executable, one_node_slurm.__file__])
    job = "#!/bin/bash\ntrap '' TERM\necho started > started\nwhile true; do sleep 0.1; done"
    (tmp_path / "job.sh").write_text(job)
    script = f"""set -e
        eval "$({command} start {folder})"
        sbatch --output=/dev/null job.sh
        until [ -e started ]; do sleep 0.1; done
        {command} stop {folder}"""
    subprocess.run(["bash", "-c", script], cwd=tmp_path, check=True, timeout=600)
    assert _processes_of(folder) == []
    assert not (folder / "run").exists()
    one_node_slurm.stop(folder)  # what is stopped may be stopped again


def test_a_start_that_fails_names_the_daemon_and_leaves_nothing(slurm, tmp_path, monkeypatch):
    taken = int(answer(slurm, "scontrol", "show", "config").partition("SlurmctldPort")[2].split()[1])
    monkeypatch.setattr(slurm_configuration, "_free_ports", lambda count: [taken] * count)
    with pytest.raises(one_node_slurm.SlurmError, match=r"(?s)slurmctld did not start.*Address already in use"):
        one_node_slurm.start(tmp_path)
    assert _processes_of(tmp_path) == []
    with pytest.raises(one_node_slurm.SlurmError, match="not empty"):
        one_node_slurm.start(tmp_path)


def _processes_of(folder: Path) -> list[str]:
    """Names of the processes, dead ones aside, that run in the Slurm of this folder: daemons and jobs."""
    names = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environment = (process / "environ").read_bytes()  # empty for a zombie
            if f"SLURM_CONF={folder}/slurm.conf".encode() in environment.split(b"\0"):
                names.append((process / "comm").read_text().strip())
        except OSError:  # it has just ended
            continue
    return names
