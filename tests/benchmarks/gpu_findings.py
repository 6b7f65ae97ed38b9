"""What a check of a GPU has found so far, in one JSON and one Markdown file that are whole at any moment."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import tables

JSON, MARKDOWN = "gpu_check.json", "gpu_check.md"
Cell = str | float | int | None


@dataclass(frozen=True)
class Check:
    """A number that must be at most its bound.

    Attributes:
        name: what is checked.
        value: what was found; None if it could not be computed.
        bound: the largest value that passes; None where any does, as long as there is one.
        why: where the bound comes from.
        error: the last line of what went wrong.
    """

    name: str
    value: float | None
    bound: float | None
    why: str = ""
    error: str = ""

    @property
    def passed(self) -> bool:
        if self.error or self.value is None or math.isnan(self.value):
            return False
        return self.bound is None or self.value <= self.bound


@dataclass(frozen=True)
class Table:
    """Figures, none of which passes or fails.

    Attributes:
        title: above it.
        columns: their heads.
        rows: of raw values, as many as columns; numbers in the units that the heads say.
        note: what the figures mean.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""


@dataclass
class Findings:
    """All of it, by part; every addition rewrites both files.

    Attributes:
        folder: of the two files.
        head: what was measured on, by name.
        parts: the checks and tables of each part, in their order, as plain data.
        left_out: what there was no time for, or what this machine does not have.
    """

    folder: Path
    head: dict[str, Cell] = field(default_factory=dict)
    parts: dict[str, dict[str, list[dict[str, Any]]]] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, folder: Path) -> "Findings":
        """What is in a folder."""
        found = json.loads((folder / JSON).read_text())
        return cls(folder, found["head"], found["parts"], found["left_out"])

    def add(self, part: str, found: Check | Table) -> None:
        """Add a check, or a table: one with the same title is replaced."""
        mine = self.parts.setdefault(part, {"checks": [], "tables": []})
        if isinstance(found, Check):
            mine["checks"].append(asdict(found) | {"passed": found.passed})
        else:
            mine["tables"] = [one for one in mine["tables"] if one["title"] != found.title] + [asdict(found)]
        self.write()

    def leave_out(self, what: str) -> None:
        """Say what is missing, and why."""
        self.left_out.append(what)
        self.write()

    @property
    def checks(self) -> list[dict[str, Any]]:
        return [check for part in self.parts.values() for check in part["checks"]]

    @property
    def passed(self) -> bool:
        """Whether there are checks, and all of them passed."""
        return bool(self.checks) and all(check["passed"] for check in self.checks)

    def write(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        everything = {
            "passed": self.passed,
            "head": self.head,
            "parts": self.parts,
            "left_out": self.left_out,
        }
        for name, text in ((JSON, json.dumps(everything, indent=1)), (MARKDOWN, self.as_markdown())):
            temporary = self.folder / f".{name}"
            temporary.write_text(text + "\n")
            temporary.replace(self.folder / name)

    def as_markdown(self) -> str:
        passed = sum(check["passed"] for check in self.checks)
        lines = ["# GPU check", "", f"{passed} of {len(self.checks)} checks passed.", ""]
        lines += [f"- {name}: {shown(value)}" for name, value in self.head.items()]
        for name, part in self.parts.items():
            lines += ["", f"## {name}"]
            if part["checks"]:
                header = ("check", "found", "at most", "passed", "why this bound")
                lines += ["", tables.markdown(header, [_check_row(check) for check in part["checks"]])]
            for table in part["tables"]:
                rows = [[shown(cell) for cell in row] for row in table["rows"]]
                lines += ["", f"### {table['title']}", "", tables.markdown(table["columns"], rows)]
                lines += ["", table["note"]] if table["note"] else []
        if self.left_out:
            lines += ["", "## Left out", "", *(f"- {one}" for one in self.left_out)]
        return "\n".join(lines)


def _check_row(check: dict[str, Any]) -> list[str]:
    why = check["error"].replace("|", "\\|") if check["error"] else check["why"]
    verdict = "yes" if check["passed"] else "**no**"
    return [check["name"], shown(check["value"]), shown(check["bound"]), verdict, why]


def shown(value: Cell) -> str:
    """A cell as people read it: three significant digits."""
    if value is None:
        return ""
    return f"{value:.3g}" if isinstance(value, float) else str(value)
