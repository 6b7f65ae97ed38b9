"""samples.npz of a run folder: which samples the run used for what, and which of the tested ones it classified rightly.

Shape letters: N samples of the data set, T tested ones.
"""

import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gradflow.errors import ConfigError
from gradflow.runs import durable, folders, tags

TRAIN, VALIDATION, TEST = 1, 2, 4  # bits, because a validation set may be the test set
_KEYS = {tags.test(tags.ACC): "correct_last", tags.at_best(tags.test(tags.ACC)): "correct_at_best"}


@dataclass(frozen=True, eq=False)  # comparing arrays has no truth value
class Samples:
    """What a run did with each sample of its data set.

    Attributes:
        parts: the sum of `TRAIN`, `VALIDATION` and `TEST` where the sample is in that set, uint8, shape (N,). A sample
            of the test set that was left out (`trainer.limit_test_batches`) is not in it.
        correct: tag of the accuracy -> whether each tested sample was classified rightly, bool, shape (T,), in the
            order of `rows(TEST)`; empty for other scores, such as R² and macro F1, which are no means over the samples.
    """

    parts: np.ndarray
    correct: Mapping[str, np.ndarray]

    def rows(self, part: int) -> np.ndarray:
        """The row numbers of a set in the data, ascending, int64."""
        return np.flatnonzero(self.parts & part)


def samples_of(
    num_samples: int, *, train: np.ndarray, validation: np.ndarray, test: np.ndarray, answers: Mapping[str, np.ndarray]
) -> Samples:
    """The samples of a run.

    Args:
        num_samples: N.
        train: row numbers, ascending.
        validation: likewise.
        test: likewise.
        answers: tag of the accuracy -> for each row of `test` 1 if it was classified rightly, 0 if not, -1 if it was
            not tested; the same rows for each tag.
    """
    tested = test
    for answer in answers.values():
        tested = test[answer >= 0]
    parts = np.zeros(num_samples, np.uint8)
    for rows, part in ((train, TRAIN), (validation, VALIDATION), (tested, TEST)):
        parts[rows] |= part
    return Samples(parts, {tag: answer[answer >= 0] == 1 for tag, answer in answers.items()})


def write_samples(folder: Path, samples: Samples) -> None:
    """Replace the file atomically: CIFAR-10's 60,000 samples take about 11 kB."""
    arrays = {"parts": samples.parts} | {_KEYS[tag]: np.packbits(right) for tag, right in samples.correct.items()}
    with durable.replacing(folder / folders.SAMPLES_FILE) as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def read_samples(folder: Path) -> Samples | None:
    """The samples of a run folder; None if it has none, as in studies of older versions.

    Raises:
        ConfigError: if the file is damaged.
    """
    path = folder / folders.SAMPLES_FILE
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            parts = stored["parts"]
            tested = int(np.count_nonzero(parts & TEST))
            packed = {tag: stored[key] for tag, key in _KEYS.items() if key in stored.files}
            correct = {tag: np.unpackbits(bits, count=tested).astype(bool) for tag, bits in packed.items()}
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile, zlib.error) as error:
        raise ConfigError(f"{path}: damaged ({error}); move that file away") from error
    return Samples(parts, correct)
