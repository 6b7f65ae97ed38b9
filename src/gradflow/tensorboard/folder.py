"""The folder that TensorBoard is given: the studies' own, or one of links to the runs that are shown."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from gradflow.runs import folders
from gradflow.tensorboard.first_look import BoardStudy

MOST_SELECTED = 500  # of more runs, the page selects none at first


@dataclass(frozen=True)
class Served:
    """What is served.

    Attributes:
        folder: what TensorBoard is given.
        awaited: names of the runs that are seen first.
        left_out: what is said of runs that are not served; empty if all are.
    """

    folder: Path
    awaited: list[str]
    left_out: str


@contextmanager
def served(folder: Path, studies: Sequence[BoardStudy]) -> Iterator[Served]:
    """The folder itself if all in it can be shown; otherwise links to its averages, in a folder that goes away again.

    Args:
        folder: of a study or of several.
        studies: those in it.
    """
    first = [(study, found) for study in studies for found in _seen_first(study)]
    awaited = [f"{study.name}{_within(found, study)}" for study, found in first]
    elsewhere = [study for study in studies if study.place != study.folder]
    runs = {file.parent for place in [folder, *(study.place for study in elsewhere)] for file in _event_files(place)}
    if len(runs) <= MOST_SELECTED and not elsewhere:
        yield Served(folder, awaited, "")
        return
    every = len(runs) <= MOST_SELECTED
    others = [(study, one) for study in studies for one in [*study.seeds, *study.bands]] if every else []
    said = "" if every else f"{len(runs):,} runs: only averages are shown, for TensorBoard opens on none of so many"
    with TemporaryDirectory(prefix="gradflow_") as links:
        for study, one in others + first:
            link = Path(links) / study.name / _within(one, study)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(one.absolute())
        yield Served(Path(links), awaited, said)


def _seen_first(study: BoardStudy) -> list[Path]:
    """What the first look shows: averages against depth and means if they are few enough, or else the runs."""
    averages = [*study.summaries, *study.means]
    return (averages if len(averages) <= MOST_SELECTED else study.summaries) or study.means or study.seeds


def _within(folder: Path, study: BoardStudy) -> str:
    root = study.place if folder.is_relative_to(study.place) else study.folder
    return folder.relative_to(root).as_posix()


def _event_files(place: Path) -> Iterator[Path]:
    return place.rglob(folders.EVENT_FILES)
