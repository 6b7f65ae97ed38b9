"""Every scalar of a run as a line of a CSV file in its folder."""

import csv
import io
import os
from collections.abc import Sequence

from gradflow.runs import durable
from gradflow.runs.further_logger import Described, FurtherLogger, Row

CSV_FILE = "metrics.csv"
HEADER = ("step", "metric", "value")


class CSVFile(FurtherLogger):
    """`metrics.csv` with the columns step, metric and value, in the order in which values are logged."""

    @property
    def name(self) -> str:
        return "csv"

    def _open(self, run: Described) -> None:
        """Cut the file back to the rows that it has for certain, which the folder's list says."""
        if self._kept():
            if (size := self._kept()["bytes"]) <= self._size():
                os.truncate(self._folder / CSV_FILE, size)
                return
            raise ValueError(f"{CSV_FILE} has {self._size():,} of {size:,} bytes")
        (self._folder / CSV_FILE).write_bytes(_lines([HEADER]))
        self._keep({"rows": self._first, "bytes": self._size()})

    def _sent(self) -> int:
        return int(self._kept()["rows"])

    def _send(self, rows: Sequence[Row], *, first: int) -> None:
        lines = _lines([(row.step, tag, value) for row in rows for tag, value in row.values.items()])
        file = self._folder / CSV_FILE
        with durable.naming(file):
            with file.open("ab") as opened:
                opened.write(lines)
            durable.sync(file)
        self._keep({"rows": first + len(rows), "bytes": self._size()})

    def _close(self, state: str) -> None:
        """The run folder says it."""

    def _size(self) -> int:
        file = self._folder / CSV_FILE
        return file.stat().st_size if file.exists() else 0


def _lines(rows: Sequence[Sequence[object]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
