"""What TensorBoard's page shows at first, as the query of its address: pinned cards, runs, colours, no smoothing."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

from gradflow.runs import folders
from gradflow.runs.events import curves
from gradflow.runs.record import Record
from gradflow.study import answering_tags
from gradflow.study.against_depth import against_depth
from gradflow.study.averaged_runs import BANDS, LOWER, MEAN, SUMMARY, UPPER
from gradflow.study.records import run_folder
from gradflow.study.treatments import ACTIVATION, compared

_AVERAGES = rf"(^|/)({MEAN}|{SUMMARY}/[^/]+/({LOWER}|{UPPER}))$"
_MOST_CHOSEN = 40


@dataclass(frozen=True)
class BoardStudy:
    """A study on the page.

    Attributes:
        name: what its runs' names begin with, such as `digits_depth/`; empty for a study that is alone.
        folder: its folder.
        place: where its averages are: the same folder, or another.
        records: run.json of its runs, at least one.
    """

    name: str
    folder: Path
    place: Path
    records: Sequence[Record]

    @property
    def means(self) -> list[Path]:
        """The folders of its means, the deepest network first."""
        depths = {record["config"]: record["blocks"] or 0 for record in self.records}
        found = [self.place / config / MEAN for config in sorted(depths, key=lambda config: -depths[config])]
        return [folder for folder in found if any(folder.glob(folders.EVENT_FILES))]

    @property
    def summaries(self) -> list[Path]:
        """The folders of its averages against depth."""
        kinds = (MEAN, LOWER, UPPER)
        return [folder for kind in kinds for folder in sorted((self.place / SUMMARY).glob(f"*/{kind}"))]

    @property
    def bands(self) -> list[Path]:
        """The folders of what the Custom Scalars page draws."""
        found = [*self.place.glob(f"*/{BANDS}"), *self.place.glob(f"{SUMMARY}/*/{BANDS}")]
        return [folder for folder in found if any(folder.glob(folders.EVENT_FILES))]

    @property
    def seeds(self) -> list[Path]:
        """The folders of its runs that have curves."""
        found = [run_folder(self.folder, record) for record in self.records]
        return [folder for folder in found if any(folder.glob(folders.EVENT_FILES))]


def query(studies: Sequence[BoardStudy]) -> str:
    """Of TensorBoard's address: the cards that answer the question, of the averages, one colour for each activation."""
    cards = [{"plugin": "scalars", "tag": tag} for tag in _pinned(studies)]
    parts = {
        "pinnedCards": json.dumps(cards, separators=(",", ":")),
        "runFilter": _runs(studies),
        "runColorGroup": f"regex:{_colours(studies)}",
        "smoothing": "0",
    }
    return urlencode({key: value for key, value in parts.items() if value}, quote_via=quote)


def bands_page(studies: Sequence[BoardStudy]) -> str:
    """The rest of the address of the Custom Scalars page with its runs chosen; empty if there are no bands.

    The page by itself chooses none of more than `_MOST_CHOSEN` runs.
    """
    patterns = (rf"{BANDS}$", rf"{SUMMARY}/[^/]+/{BANDS}$")
    runs = [folder.relative_to(study.place).as_posix() for study in studies for folder in study.bands]
    for pattern in patterns:
        if 0 < sum(bool(re.search(pattern, run)) for run in runs) <= _MOST_CHOSEN:
            return f"#custom_scalars&regexInput={quote(pattern, safe='/+')}&_smoothingWeight=0"
    return ""


def _pinned(studies: Iterable[BoardStudy]) -> list[str]:
    """Scores by depth, for every variant, then gradient flow and dead units by depth, then the curves."""
    by_depth: list[tuple[int, str]] = []
    of_training: list[str] = []
    for study in studies:
        if study.summaries:
            by_depth += [card for one in against_depth(study.records) for card in enumerate(one.cards)]
        headlines = dict.fromkeys(record["headline"] for record in study.records)
        present = curves((study.means or study.seeds)[0]) if study.means or study.seeds else {}
        of_training += [
            tag for one in headlines for tag in answering_tags.among(answering_tags.of_training(one), present)
        ]
    at_the_end = [tag for _, tag in sorted(by_depth, key=lambda card: card[0])]
    return list(dict.fromkeys([*at_the_end, *of_training]))


def _runs(studies: Sequence[BoardStudy]) -> str:
    """A pattern of the averages' names, and of all names in studies that have none yet; empty if none has."""
    without = [f"^{re.escape(study.name)}" for study in studies if not study.means]
    return "|".join([_AVERAGES, *without]) if len(without) < len(studies) else ""


def _colours(studies: Iterable[BoardStudy]) -> str:
    """A pattern whose groups tell the activations in the names of runs apart, their own parameters included."""
    axes = [record["axes"] for study in studies for record in study.records]
    names = dict.fromkeys(compared([str(one[ACTIVATION])]) for one in axes)
    parameters = dict.fromkeys(axis for one in axes for axis in one if axis.startswith(f"{ACTIVATION}."))
    values = "".join(rf"(?:.*,{re.escape(axis)}=([^,/]+))?" for axis in parameters)
    return f"(?:{'|'.join(map(re.escape, names))})=([^,/~]+){values}"
