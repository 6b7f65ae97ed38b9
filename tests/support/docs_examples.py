"""The worked examples of the documentation, done as it says in a copy of the repository."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from gradflow import CONF

ROOT = CONF.parent
DOCS = ROOT / "docs"


def one_line(text: str) -> str:
    """A page without line breaks, and without the marks of a quotation, so that its sentences can be looked for."""
    return " ".join(text.replace("\n> ", "\n").split())


class Example:
    """One page of `docs/`: its files by path, and what it tells to run.

    Args:
        page: its name, without `.md`.
    """

    def __init__(self, page: str) -> None:
        self.text = (DOCS / f"{page}.md").read_text()
        named = r"`([\w/]+\.(?:py|yaml))`[^`]*\n\n```(?:python|yaml)\n(.*?)```"
        self.files = dict(re.findall(named, self.text, flags=re.DOTALL))
        self.commands = re.findall(r"^\.venv/bin/python (.*)$", self.text, flags=re.MULTILINE)

    def repository(self, root: Path) -> Path:
        """A copy of what the commands need, with the page's files."""
        shutil.copy(ROOT / "train.py", root)
        for folder in ("conf", "src"):
            ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
            shutil.copytree(ROOT / folder, root / folder, symlinks=True, ignore=ignored)
        for name, text in self.files.items():
            assert not (root / name).exists(), "the example is to be new"
            (root / name).write_text(text)
        return root


def python(root: Path, *arguments: str) -> str:
    """What `.venv/bin/python` with these arguments prints, started in the repository."""
    environment = os.environ | {"PYTHONPATH": str(root / "src"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, *arguments], cwd=root, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout
