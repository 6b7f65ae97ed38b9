"""samples.npz: what is written is what is read, in a few kilobytes."""

import numpy as np
import pytest

from gradflow.errors import ConfigError
from gradflow.runs import folders
from gradflow.runs.samples import TEST, TRAIN, VALIDATION, read_samples, samples_of, write_samples

LAST, BEST = "test/acc", "test/acc_at_best"


def test_the_rows_of_every_set_and_the_answers_come_back(tmp_path):
    parts = {"train": np.array([1, 4, 8]), "validation": np.array([0, 9]), "test": np.array([2, 3, 5])}
    write_samples(tmp_path, samples_of(11, **parts, answers={LAST: np.array([1, 0, 1]), BEST: np.array([0, 0, 1])}))
    found = read_samples(tmp_path)
    assert [found.rows(part).tolist() for part in (TRAIN, VALIDATION, TEST)] == [[1, 4, 8], [0, 9], [2, 3, 5]]
    assert {tag: right.tolist() for tag, right in found.correct.items()} == {
        LAST: [True, False, True],
        BEST: [False, False, True],
    }
    assert [path.name for path in tmp_path.iterdir()] == [folders.SAMPLES_FILE]


def test_a_validation_set_may_be_the_test_set():
    rows = np.array([5, 6])
    found = samples_of(7, train=np.arange(5), validation=rows, test=rows, answers={})
    assert found.rows(VALIDATION).tolist() == found.rows(TEST).tolist() == [5, 6]


def test_what_was_not_tested_is_not_in_the_test_set():
    answer = np.array([1, 0, -1, -1])
    found = samples_of(6, train=np.arange(1), validation=np.arange(1, 2), test=np.arange(2, 6), answers={LAST: answer})
    assert found.rows(TEST).tolist() == [2, 3]
    assert found.correct[LAST].tolist() == [True, False]


def test_cifar_takes_a_few_kilobytes(tmp_path):
    generator = np.random.default_rng(0)
    order = generator.permutation(50_000)
    answer = (generator.random(10_000) < 0.7).astype(int)
    parts = {"train": np.sort(order[5000:]), "validation": np.sort(order[:5000]), "test": np.arange(50_000, 60_000)}
    write_samples(tmp_path, samples_of(60_000, **parts, answers={LAST: answer, BEST: answer}))
    assert (tmp_path / folders.SAMPLES_FILE).stat().st_size < 12_000


def test_no_file_and_a_damaged_one(tmp_path):
    assert read_samples(tmp_path) is None
    file = tmp_path / folders.SAMPLES_FILE
    for content in (b"", b"PK nothing", b"no archive"):
        file.write_bytes(content)
        with pytest.raises(ConfigError, match=r"samples\.npz: damaged .*; move that file away"):
            read_samples(tmp_path)
    np.savez(file, other=np.zeros(3))
    with pytest.raises(ConfigError, match="damaged"):
        read_samples(tmp_path)
