"""CITATION.cff, the files for GitHub and the container agree with the project, and pass the checkers of pre-commit."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from gradflow import CONF, __version__

ROOT = CONF.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
MAKEFILE = (ROOT / "Makefile").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text()
PROGRAMS = Path(sys.executable).parent  # what is installed beside this Python
PYTHONS = re.findall(r"Python :: (3\.\d+)$", "\n".join(PROJECT["classifiers"]), flags=re.MULTILINE)


def read(name):
    return yaml.safe_load((ROOT / name).read_text())


HOOKS = {hook["id"]: hook for hook in read(".pre-commit-config.yaml")["repos"][0]["hooks"]}
JOBS = {name: job for file in (ROOT / ".github/workflows").iterdir() for name, job in read(file)["jobs"].items()}
COMMANDS = sorted({step["run"] for job in JOBS.values() for step in job["steps"] if "run" in step})


@pytest.mark.parametrize("hook", [name for name, hook in HOOKS.items() if "files" in hook])
def test_each_checker_of_pre_commit_has_files_and_passes_them(hook):
    names = [str(file.relative_to(ROOT)) for file in (*ROOT.glob("*"), *ROOT.glob(".github/**/*")) if file.is_file()]
    files = [name for name in names if re.search(HOOKS[hook]["files"], name)]
    program, *options = HOOKS[hook]["entry"].split()
    command = [PROGRAMS / Path(program).name, *options, *files]
    if not command[0].exists():
        pytest.skip(f"{command[0].name} is not installed")
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert files
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_citation_says_what_the_project_says():
    citation = read("CITATION.cff")
    assert citation["version"] == __version__
    assert citation["license"] == PROJECT["license"]
    assert citation["abstract"] == PROJECT["description"]
    assert citation["keywords"] == PROJECT["keywords"]
    assert f"(c) 2026 {citation['authors'][0]['name']}" in (ROOT / "LICENSE").read_text()


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_of_a_workflow_exists(command):
    program, first, *_ = *command.split(), ""
    if program == "make":
        assert re.search(rf"^{first}: .*## ", MAKEFILE, flags=re.MULTILINE)
    elif program == "docker":
        assert command.startswith("docker run --rm gradflow ")
        assert "--tag gradflow " in MAKEFILE
    elif program.startswith(".venv/bin/"):
        assert (PROGRAMS / Path(program).name).exists()
    else:
        assert (ROOT / program).stat().st_mode & 0o100


def test_the_workflow_tests_the_oldest_and_the_newest_python():
    assert JOBS["linux"]["strategy"]["matrix"]["python"] == [PYTHONS[0], PYTHONS[-1]]
    assert PROJECT["requires-python"] == f">={PYTHONS[0]}"


def test_no_job_of_a_workflow_runs_for_ever_or_may_write():
    assert all(job["timeout-minutes"] <= 120 for job in JOBS.values())
    assert [read(file)["permissions"] for file in (ROOT / ".github/workflows").iterdir()] == [{"contents": "read"}]


def test_the_container_gets_every_file_that_it_copies():
    copied = [word for line in re.findall(r"^COPY (.*) \S+$", DOCKERFILE, flags=re.MULTILINE) for word in line.split()]
    let_in = re.findall(r"^!(.*)$", (ROOT / ".dockerignore").read_text(), flags=re.MULTILINE)
    assert sorted(copied) == sorted(let_in)
    assert all((ROOT / name).exists() for name in copied)


def test_the_container_has_a_python_that_the_project_knows():
    assert re.search(r"^ARG PYTHON=(.*)$", DOCKERFILE, flags=re.MULTILINE)[1] in PYTHONS
