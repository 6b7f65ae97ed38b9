"""What W&B has written offline, read without a server."""

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

BLOCK, HEAD, PREFIX = 32768, 7, 7  # bytes: LevelDB's log format, after W&B's own prefix
FULL, FIRST, LAST = 1, 2, 4


def rows(run_folder: Path) -> list[tuple[int, dict[str, Any]]]:
    """Number and values of every row in the offline files of a run, in the order in which they were written."""
    found = []
    for record in _records(run_folder):
        if record.WhichOneof("record_type") == "history":
            items = {item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in record.history.item}
            values = {key: value for key, value in items.items() if not key.startswith("_")}
            found.append((record.history.step.num, values))
    return found


def runs(run_folder: Path) -> list[Any]:
    """What each offline file says of its run: its id, project, group, name and config."""
    return [record.run for record in _records(run_folder) if record.WhichOneof("record_type") == "run"]


def exit_codes(run_folder: Path) -> list[int]:
    return [one.exit.exit_code for one in _records(run_folder) if one.WhichOneof("record_type") == "exit"]


def _records(run_folder: Path) -> Iterator[Any]:
    from wandb.proto import wandb_internal_pb2

    for file in sorted(run_folder.glob("wandb/offline-run-*/*.wandb")):
        for data in _logged(file.read_bytes()):
            record = wandb_internal_pb2.Record()
            record.ParseFromString(data)
            yield record


def _logged(data: bytes) -> Iterator[bytes]:
    at, parts = PREFIX, []
    while at + HEAD <= len(data):
        if BLOCK - at % BLOCK < HEAD:  # what is left of a block is padding
            at += BLOCK - at % BLOCK
            continue
        _, length, kind = struct.unpack_from("<IHB", data, at)
        if at + HEAD + length > len(data):
            return  # is being written
        parts.append(data[at + HEAD : at + HEAD + length])
        at += HEAD + length
        if kind in (FULL, LAST):
            yield b"".join(parts)
            parts = []
