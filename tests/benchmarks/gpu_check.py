"""Whether gradflow is right on a GPU, and how fast: one command, within eight minutes, without data.

    make gpu-check                                                            # the first CUDA GPU
    python tests/benchmarks/gpu_check.py --device cpu --miniature             # the same code on a CPU, in half a minute

Writes gpu_check.json and gpu_check.md into outputs/gpu_check, anew after every result, so that a run that is killed
leaves what it has. A failed check is listed with the last line of its error, and the others follow; the exit status is
then 1. Each part is a process of its own: an error that makes a GPU unusable ends with it. docs/gpu.md says more.
"""

import argparse
import importlib
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import gpu_mps
import machine
import processes
from gpu_findings import Check, Findings
from gpu_settings import Settings, carry_out, python_path
from gpu_size import FULL, MINIATURE

# Name -> module with its WORK, and the share of the time after which the part has to end.
PARTS = {
    "Correctness": ("gpu_correctness", 0.13),
    "Behaviour": ("gpu_behaviour", 0.33),
    "Speed": ("gpu_speed", 0.67),
    "Side by side": ("gpu_side_by_side", 0.97),
}
FOLDER = Path("outputs/gpu_check")
GRACE_S = 5.0  # by which a part may overrun before it is killed


def main(arguments: list[str] | None = None) -> int:
    """Run every part; 0 if all checks passed."""
    options = _parser().parse_args(arguments)
    if options.part is not None:
        return _part(options)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # its parts end with it
    began = time.time()
    findings = Findings(options.output, head=_head(options))
    findings.write()
    with tempfile.TemporaryDirectory() as folder:
        for name, (module, share) in PARTS.items():
            until = began + 60 * options.minutes * share
            if time.time() >= until:
                findings.leave_out(f"{name}: no time left (--minutes)")
                continue
            started = time.time()
            _start(name, until, Path(folder) / module, options)
            findings = Findings.read(options.output)
            findings.head[f"{name}, seconds"] = round(time.time() - started)
            findings.write()
            if (ended := _ended_badly(name)) is not None:
                findings.add(name, ended)
    findings.head["seconds"] = round(time.time() - began)
    findings.write()
    print(findings.as_markdown())
    return 0 if findings.passed else 1


_errors: dict[str, str] = {}


def _start(name: str, until: float, folder: Path, options: argparse.Namespace) -> None:
    """Run a part in a process of its own, and see that it ends."""
    command = processes.script("gpu_check.py", "--part", name, "--module", PARTS[name][0], "--until", str(until))
    command += ["--folder", str(folder), "--device", options.device, "--output", str(options.output)]
    command += ["--miniature"] if options.miniature else []
    own = {"PYTHONPATH": python_path(), "TORCHINDUCTOR_CACHE_DIR": str(folder / "compiled")}  # nothing is compiled yet
    print(f"{name} ...", file=sys.stderr, flush=True)
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(
            command, env=os.environ | own, stdout=said, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            process.wait(timeout=max(0.0, until - time.time()) + GRACE_S)
        except subprocess.TimeoutExpired:
            _errors[name] = "took longer than its time and was killed"
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                gpu_mps.stop(folder / "mps")
        said.seek(0)
        lines = said.read().strip().splitlines()
        if process.returncode and name not in _errors:
            _errors[name] = f"ended with status {process.returncode}: {lines[-1] if lines else 'no word'}"


def _ended_badly(name: str) -> Check | None:
    return Check(f"{name} ran to its end", None, None, error=_errors.pop(name)) if name in _errors else None


def _part(options: argparse.Namespace) -> int:
    module = importlib.import_module(options.module)
    size = MINIATURE if options.miniature else FULL
    findings = Findings.read(options.output)
    settings = Settings(options.device, size, options.until, options.folder, options.part, findings)
    options.folder.mkdir(parents=True, exist_ok=True)
    carry_out(settings, module.WORK)
    return 0


def _head(options: argparse.Namespace) -> dict[str, str | float | int | None]:
    """What is measured, on what."""
    import torch

    if options.device == "cuda" and not torch.cuda.is_available():
        print("--device cuda: no CUDA GPU was found; use --device cpu --miniature, or a machine that has one")
        sys.exit(2)
    versions = {name: version(name) for name in machine.LIBRARIES}
    gpu = torch.cuda.get_device_name() if options.device == "cuda" else None
    return {
        "device": gpu or machine.processor(),
        "size": "miniature" if options.miniature else "full",
        "CPU": f"{machine.processor()}, {machine.cores()} cores",
        "CUDA": torch.version.cuda if gpu else None,
        "cuDNN": torch.backends.cudnn.version() if gpu else None,
        "Python": platform.python_version(),
        **versions,
        "date": time.strftime("%Y-%m-%d"),
        "minutes allowed": options.minutes,
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda", help="by default, the first CUDA GPU")
    parser.add_argument("--miniature", action="store_true", help="tiny networks and few steps: figures mean nothing")
    parser.add_argument("--minutes", type=float, default=8.0, help="what does not fit is left out, and named")
    parser.add_argument("--output", type=Path, default=FOLDER, help="folder of gpu_check.json and gpu_check.md")
    for own in ("--part", "--module", "--until", "--folder"):  # how it starts its own parts
        kind = {"--until": float, "--folder": Path}.get(own, str)
        parser.add_argument(own, type=kind, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
