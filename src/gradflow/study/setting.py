"""Data and network of a study in people's words, from the composed configuration beside its runs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from gradflow.runs import folders
from gradflow.runs.record import Record
from gradflow.runs.words import DATA, NETWORKS, blocks_words
from gradflow.study.records import run_folder

_GROUPS: tuple[tuple[str, Mapping[str, str]], ...] = (
    ("data", DATA),
    ("module", {}),
    ("model", NETWORKS),
)  # a module of one's own has no model


def setting(study: Path, records: Sequence[Record]) -> str:
    """`digits, conv stack`: whatever of data, network and depth all runs have in common; empty if nothing is known.

    Args:
        study: its folder.
        records: run.json of its runs.
    """
    config = _config(study, records)
    varied = {axis for axis in _axes(records) if len({str(record["axes"].get(axis)) for record in records}) > 1}
    parts = [_name(config.get(group), known) for group, known in _GROUPS if group not in varied]
    depths = {record["blocks"] for record in records}
    if len(depths) == 1 and (blocks := depths.pop()) is not None:
        parts.append(blocks_words(blocks))
    return ", ".join(filter(None, parts))


def _axes(records: Sequence[Record]) -> set[str]:
    return {axis for record in records for axis in record["axes"]}


def _config(study: Path, records: Sequence[Record]) -> Mapping[str, Any]:
    """Of the first run that has one; a damaged one says nothing."""
    for record in records:
        file = run_folder(study, record) / folders.HYDRA_FOLDER / folders.CONFIG_FILE
        try:
            found = yaml.safe_load(file.read_bytes())
        except (OSError, yaml.YAMLError):
            continue
        if isinstance(found, dict):
            return found
    return {}


def _name(group: Any, known: Mapping[str, str]) -> str:
    """Of the option chosen in a group, or of the user's own class in it."""
    if not isinstance(group, Mapping):
        return ""
    name = str(group.get("arch") or group.get("name") or "")
    if name in ("", "custom", "gradflow"):
        name = str(group.get("_target_") or "").rpartition(".")[2]
    return known.get(name, name)
