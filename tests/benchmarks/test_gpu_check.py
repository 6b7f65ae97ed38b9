"""The check of a GPU: its miniature runs whole on a CPU, and what fails is said."""

import json
import math
import os
import subprocess
import sys
import warnings
from types import SimpleNamespace

import gpu_check
import gpu_mps
import pytest
import torch
from gpu_behaviour import Stalls
from gpu_card import peak_of
from gpu_findings import JSON, MARKDOWN, Check, Findings, shown
from gpu_traffic import Traffic

from gradflow import CONF

SCRIPT = CONF.parent / "tests/benchmarks/gpu_check.py"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Everything in miniature: its JSON and its Markdown."""
    folder = tmp_path_factory.mktemp("gpu_check")
    command = [
        sys.executable,
        str(SCRIPT),
        "--device",
        "cpu",
        "--miniature",
        "--minutes",
        "15",
        "--output",
        str(folder),
    ]
    ended = subprocess.run(command, cwd=CONF.parent, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True)
    text = (folder / MARKDOWN).read_text()
    assert ended.returncode == 0, text
    return json.loads((folder / JSON).read_text()), text


def tables_of(found):
    return {table["title"]: table for part in found["parts"].values() for table in part["tables"]}


@pytest.mark.slow
def test_every_part_passes_in_miniature_and_says_what_is_missing(whole):
    found, text = whole
    assert found["passed"]
    assert found["parts"].keys() == gpu_check.PARTS.keys()
    names = [check["name"] for part in found["parts"].values() for check in part["checks"]]
    assert len(names) == len(set(names)) >= 40
    for precision in ("32", "tf32", "bf16"):
        for quantity in ("gradient", "loss", "change", "units"):
            assert sum(f"precision={precision}:" in name and quantity in name for name in names) >= 2
    assert "MPS: not available, a CPU has none" in found["left_out"]
    assert f"{len(names)} of {len(names)} checks passed." in text


@pytest.mark.slow
def test_both_files_say_the_same(whole):
    found, text = whole
    for check in (check for part in found["parts"].values() for check in part["checks"]):
        row = (check["name"], shown(check["value"]), shown(check["bound"]), "yes", check["why"])
        assert f"| {' | '.join(row)} |" in text
    for table in tables_of(found).values():
        rows = "\n".join(f"| {' | '.join(map(shown, row))} |" for row in table["rows"])
        assert table["rows"]
        assert f"### {table['title']}" in text
        assert rows in text
    for left_out in found["left_out"]:
        assert f"- {left_out}" in text


@pytest.mark.slow
def test_the_projection_is_steps_times_seconds(whole):
    found, _ = whole
    (by_depth, projected) = (
        next(table for title, table in tables_of(found).items() if title.endswith(end))
        for end in ("by depth", "projected")
    )
    assert [row[0] for row in projected["rows"]] == ["bf16", "tf32", "32"]
    for precision, compiles, depths, minutes, *_ in projected["rows"]:
        assert depths == 2
        seconds = 0.0
        for other, compiled, _, step_ms, steps, validation, between, once in by_depth["rows"]:
            if (other, compiled) == (precision, compiles):
                assert (steps, step_ms > 0, validation > 0) == (5, True, True)
                seconds += 2 * 3 * (once + 10 * (steps * step_ms / 1000 + validation + between))
        assert minutes == pytest.approx(seconds / 60, rel=1e-9)


@pytest.mark.slow
def test_several_processes_are_compared_with_one(whole):
    found, _ = whole
    titles = [title for title in tables_of(found) if "at a time on the one device" in title]
    assert len(titles) == 2
    for title in titles:
        rows = tables_of(found)[title]["rows"]
        assert [row[1] for row in rows] == [1, 2]
        (_, one, alone, *_), (_, two, both, times, slowdown, *_) = rows
        assert (times, slowdown) == pytest.approx((both / alone, two / one * alone / both))


PARTS = """
import os, sys, time
from gpu_findings import Check, Table

def within(settings):
    yield Check("within", 1.0, 2.0, "so it is")
    yield Table("figures", ("a", "b"), [[1, 0.12345]])

def above(settings):
    yield Check("above", 3.0, 2.0, "so it is")
    yield Check("never computed", float("nan"), 2.0)

def broken(settings):
    yield Check("before", 0, 0)
    raise ValueError("first line\\nlast | line")

def dies(settings):
    print("said at the end", flush=True)
    os._exit(7)

def sleeps(settings):
    time.sleep(600)
    yield

WORK = [(name, seconds, globals()[name]) for name, seconds in WANTED]
"""


@pytest.fixture
def found_of(tmp_path, monkeypatch):
    """`found_of(*parts)`: status and findings of parts, each some of the functions above with the seconds they take."""

    def run(*parts, minutes=5.0):
        named = {f"Part {number}": (f"made_up_{number}", 0.9) for number in range(len(parts))}
        for (module, _), wanted in zip(named.values(), parts, strict=True):
            (tmp_path / f"{module}.py").write_text(f"WANTED = {wanted!r}\n{PARTS}")
        monkeypatch.setattr(gpu_check, "PARTS", named)
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
        options = ["--device", "cpu", "--miniature", "--minutes", str(minutes), "--output", str(tmp_path / "found")]
        return gpu_check.main(options), Findings.read(tmp_path / "found")

    return run


def test_what_fails_is_said_and_the_rest_goes_on(found_of, capsys):
    status, found = found_of([("broken", 1), ("above", 1), ("dies", 1)], [("within", 1)])
    text = capsys.readouterr().out
    assert status == 1
    assert not found.passed
    assert [(check["name"], check["passed"]) for check in found.checks] == [
        ("before", True),
        ("broken", False),
        ("above", False),
        ("never computed", False),
        ("Part 0 ran to its end", False),
        ("within", True),
    ]
    assert "| broken |  |  | **no** | ValueError: last \\| line |" in text
    assert "| above | 3 | 2 | **no** | so it is |" in text
    assert "| Part 0 ran to its end |  |  | **no** | ended with status 7: said at the end |" in text
    assert "| a | b |\n| --- | --- |\n| 1 | 0.123 |" in text
    assert "2 of 6 checks passed." in text


def test_what_there_is_no_time_for_is_left_out(found_of):
    status, found = found_of([("within", 0), ("above", 1e6)])
    assert (status, [check["name"] for check in found.checks]) == (0, ["within"])
    assert found.left_out == ["above: no time left (--minutes)"]


def test_a_part_that_hangs_is_killed_and_those_after_it_are_left_out(found_of, monkeypatch):
    monkeypatch.setattr(gpu_check, "GRACE_S", 0.0)
    status, found = found_of([("sleeps", 0)], [("within", 0)], minutes=0.02)
    assert status == 1
    (check,) = found.checks
    assert (check["name"], check["error"]) == ("Part 0 ran to its end", "took longer than its time and was killed")
    assert found.left_out == ["Part 1: no time left (--minutes)"]


def test_a_run_that_passes_ends_with_status_0(found_of):
    status, found = found_of([("within", 1)])
    assert (status, found.passed) == (0, True)


def test_a_gpu_is_asked_for_by_name(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit) as ended:
        gpu_check.main(["--output", str(tmp_path)])
    assert ended.value.code == 2
    assert capsys.readouterr().out.startswith("--device cuda: no CUDA GPU was found; use --device cpu --miniature")


def test_a_check_needs_a_number_within_its_bound():
    assert [Check("", *one).passed for one in [(0, 0), (1, 0), (None, None), (math.nan, 1), (5, None)]] == [
        *(True, False, False, False, True),
    ]


def test_traffic_counts_each_operand_once_and_no_view():
    a, b = torch.ones(10, 20), torch.ones(10, 20, dtype=torch.float64)
    with Traffic() as moved:
        _ = a.t().reshape(20, 10) + 1  # reads and writes 200 floats
        b.mul_(2)  # the same of doubles
    assert moved.bytes == 2 * 200 * 4 + 2 * 200 * 8


def test_data_sheets_are_told_apart_by_the_name_of_the_device():
    assert peak_of("NVIDIA H200").memory == 4.8
    assert peak_of("NVIDIA H100 80GB HBM3").memory == 3.35
    assert peak_of("NVIDIA H100 PCIe").bf16 == 756
    assert peak_of("NVIDIA A100-SXM4-80GB").memory == 2.039
    assert peak_of("NVIDIA A100-SXM4-40GB").memory == 1.555
    assert peak_of("AMD EPYC") is None


CONTROL = """#!/bin/sh
echo "$CUDA_MPS_PIPE_DIRECTORY $* $(cat)" >> {log}
[ -z "{fails}" ] || {{ echo no device; exit 1; }}
"""


@pytest.mark.parametrize("fails", ["", "yes"])
def test_mps_runs_in_a_folder_of_its_own_and_ends_whatever_happens(tmp_path, monkeypatch, fails):
    log, control = tmp_path / "log", tmp_path / gpu_mps.CONTROL
    control.write_text(CONTROL.format(log=log, fails=fails))
    control.chmod(0o755)
    assert not gpu_mps.is_installed()
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert gpu_mps.is_installed()
    folder = tmp_path / "mps"
    said = ""
    try:
        with gpu_mps.running(folder) as variables:
            assert variables["CUDA_MPS_PIPE_DIRECTORY"] == str(folder)
            raise RuntimeError("in use")
    except RuntimeError as error:
        said = str(error)
    assert said.endswith("-d: no device" if fails else "in use")
    told = [line.split() for line in log.read_text().splitlines()]
    assert told == [[str(folder), "-d"], *([] if fails else [[str(folder), "quit"]])]
    gpu_mps.stop(tmp_path / "never started")
    assert len(log.read_text().splitlines()) == len(told)


def test_steps_that_wait_are_counted_in_the_second_epoch(monkeypatch):
    modes = []
    monkeypatch.setattr(torch.cuda, "set_sync_debug_mode", modes.append)
    module, stalls = SimpleNamespace(device=torch.device("cuda")), Stalls()
    for epoch in range(3):
        trainer = SimpleNamespace(current_epoch=epoch, global_step=10 * epoch)
        stalls.on_train_epoch_start(trainer, module)
        if epoch == 1:
            for _ in range(2):
                warnings.warn("called a synchronizing CUDA operation", stacklevel=1)
            warnings.warn("something else", stacklevel=1)
        trainer.global_step += 10
        stalls.on_validation_start(trainer, module)
    assert stalls.share == 0.2
    assert modes == ["warn", "default"]
