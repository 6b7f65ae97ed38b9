"""Training, validation and test rows."""

import numpy as np
import pytest

from gradflow.data.sources import digits
from gradflow.data.split import SplitOptions, sklearn_seed, split_rows
from gradflow.errors import ConfigError

FIXED = [[1, 4, 6, 7, 9], [3, 5, 8, 20, 27], [0, 2, 35, 43, 46]]  # the first rows of each part of the digits


def options(**changes):
    defaults = {"validation": "random", "validation_size": 300, "test_size": 300, "split_seed": 0}
    return SplitOptions(**(defaults | changes))


def split(y, *, num_test=0, num_validation=0, stratify=True, **changes):
    parts = {"num_test": num_test, "num_validation": num_validation}
    return split_rows(y, **parts, stratify=stratify, options=options(**changes))


def assert_partition(parts, samples):
    assert sorted(np.concatenate(parts)) == list(range(samples))
    assert all((np.diff(part) > 0).all() for part in parts)


def test_digits_are_cut_into_1197_300_300_and_every_class_keeps_its_share():
    y = digits().y
    parts = split(y)
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (1197, 300, 300)
    assert_partition([parts.train, parts.validation, parts.test], 1797)
    for rows in (parts.train, parts.validation, parts.test):
        expected = np.bincount(y) * len(rows) / len(y)
        assert (np.abs(np.bincount(y[rows]) - expected) < 1.5).all()  # rounded twice at most


def test_split_depends_on_split_seed_and_on_nothing_else():
    y = digits().y
    first, again, other = split(y), split(y), split(y, split_seed=1)
    for part in ("train", "validation", "test"):
        assert np.array_equal(getattr(first, part), getattr(again, part))
        assert not np.array_equal(getattr(first, part), getattr(other, part))


def test_without_resampling_the_split_is_the_one_it_always_was():
    parts = split(digits().y)
    assert [part[:5].tolist() for part in (parts.train, parts.validation, parts.test)] == FIXED


def test_a_resampled_split_follows_the_seed_and_split_seed_and_nothing_else():
    y = digits().y
    seeds = [split(y, resampled_by=seed) for seed in range(3)]
    others = [*seeds, split(y), split(y, split_seed=1, resampled_by=0), split(y, split_seed=1)]
    for part in ("train", "validation", "test"):
        assert len({getattr(one, part).tobytes() for one in others}) == len(others)
        assert np.array_equal(getattr(seeds[1], part), getattr(split(y, resampled_by=1), part))


def test_resampled_test_sets_overlap_as_independent_ones_do():
    y = digits().y
    tests = [set(split(y, resampled_by=seed).test.tolist()) for seed in range(30)]
    shared = [len(one & other) for i, one in enumerate(tests) for other in tests[:i]]
    # Two sets of 300 of 1,797 share 50.1 on average, with a standard deviation of 5.9 (hypergeometric).
    assert np.mean(shared) == pytest.approx(300 * 300 / 1797, abs=4 * 5.9 / np.sqrt(len(shared)))


def test_with_an_official_test_set_only_training_and_validation_are_resampled():
    y = np.arange(100) % 2
    one, other = (split(y, num_test=20, test_size=None, validation_size=30, resampled_by=seed) for seed in (0, 1))
    assert one.test.tolist() == other.test.tolist() == list(range(80, 100))
    assert one.validation.tolist() != other.validation.tolist()
    assert one.train.tolist() != other.train.tolist()


def test_test_set_does_not_depend_on_how_validation_is_chosen():
    y = digits().y
    drawn = split(y)
    for other in (split(y, validation="last"), split(y, validation="test", validation_size=None)):
        assert np.array_equal(drawn.test, other.test)


def test_last_takes_the_end_of_the_training_set_in_its_order():
    parts = split(np.zeros(12, np.int64), num_test=2, validation="last", validation_size=3, test_size=None)
    assert parts.train.tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert parts.validation.tolist() == [7, 8, 9]
    assert parts.test.tolist() == [10, 11]


def test_official_test_set_is_kept_and_a_fraction_counts_training_samples():
    parts = split(np.arange(100) % 2, num_test=20, validation_size=0.25, test_size=None)
    assert parts.test.tolist() == list(range(80, 100))
    assert len(parts.validation) == 20
    assert_partition([parts.train, parts.validation, parts.test], 100)


def test_validation_on_the_test_set_cuts_nothing_from_training():
    parts = split(np.zeros(10, np.int64), num_test=4, validation="test", validation_size=None, test_size=None)
    assert parts.train.tolist() == [0, 1, 2, 3, 4, 5]
    assert parts.validation.tolist() == parts.test.tolist() == [6, 7, 8, 9]


def test_the_official_validation_set_is_kept():
    parts = split(
        np.arange(20) % 2, num_test=4, num_validation=5, validation=None, validation_size=None, test_size=None
    )
    assert parts.train.tolist() == list(range(11))
    assert parts.validation.tolist() == [11, 12, 13, 14, 15]
    assert parts.test.tolist() == [16, 17, 18, 19]


def test_without_one_a_tenth_is_drawn_unless_told_otherwise():
    y = np.arange(100) % 2
    drawn = split(y, num_test=20, validation=None, validation_size=None, test_size=None)
    assert_partition([drawn.train, drawn.validation, drawn.test], 100)
    assert len(drawn.validation) == 8
    same = split(y, num_test=20, validation="random", validation_size=0.1, test_size=None)
    assert np.array_equal(drawn.validation, same.validation)
    last = split(y, num_test=20, validation="last", validation_size=None, test_size=None)
    assert last.validation.tolist() == list(range(72, 80))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        *(
            ({"validation": value}, rf"^data\.validation={value}: .*own validation set.*use data\.validation=null$")
            for value in ("random", "last", "test")
        ),
        ({"validation_size": 0.1}, r"^data\.validation_size=0\.1: .*own validation set.*data\.validation_size=null$"),
        ({"split_seed": 3}, r"^data\.split_seed=3: has no effect, as nothing is drawn: .*; use data\.split_seed=0$"),
        ({"test_size": 3}, r"^data\.test_size=3: has no effect"),
    ],
)
def test_what_has_no_effect_on_official_parts_is_refused(changes, message):
    given = {"validation": None, "validation_size": None, "test_size": None}
    with pytest.raises(ConfigError, match=message):
        split(np.arange(20) % 2, num_test=4, num_validation=5, **(given | changes))


def test_regression_targets_are_not_stratified():
    y = np.linspace(0, 1, 50, dtype=np.float32)
    parts = split(y, stratify=False, validation_size=10, test_size=0.2)
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (30, 10, 10)


def test_purposes_have_seeds_of_their_own():
    assert len({sklearn_seed(0, purpose=purpose) for purpose in ("test_size", "validation_size", "samples")}) == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"validation": "first"}, r"data\.validation=first: choose one of last, random, test"),
        ({"validation_size": 1.5}, r"data\.validation_size=1\.5: give a fraction between 0 and 1 or a number"),
        ({"validation_size": 1.0}, r"data\.validation_size=1\.0: give"),
        ({"validation_size": 0}, r"data\.validation_size=0: give"),
        ({"validation_size": -3}, r"data\.validation_size=-3: give"),
        ({"validation_size": True}, r"data\.validation_size=true: give"),
        ({"validation_size": float("nan")}, r"data\.validation_size=nan: give"),
        ({"validation_size": "half"}, r"data\.validation_size=half: give"),
        ({"validation": "test"}, r"data\.validation_size=300: has no effect.*use data\.validation_size=null"),
        ({"test_size": 2.5}, r"data\.test_size=2\.5: give"),
        ({"split_seed": -1}, r"data\.split_seed=-1: needs a whole number of at least 0"),
        ({"split_seed": 0.5}, r"data\.split_seed=0\.5: needs a whole number"),
    ],
)
def test_bad_values_are_refused_before_the_data_are_read(changes, message):
    with pytest.raises(ConfigError, match=message) as caught:
        options(**changes)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("num_test", "changes", "message"),
    [
        (0, {"test_size": None}, r"data\.test_size=null: this data set has no test set of its own; give a size"),
        (0, {"test_size": 100}, r"data\.test_size=100: leaves none of the 100 samples"),
        (0, {"test_size": 20, "validation_size": 80}, r"data\.validation_size=80: leaves none of the 80 samples"),
        (0, {"test_size": 20, "validation": "last", "validation_size": 80}, r"leaves none of the 80 samples"),
        (0, {"test_size": 5, "validation_size": 20}, r"data\.test_size=5: cannot be stratified .*larger size$"),
        (0, {"test_size": 20, "validation_size": 5}, r"data\.validation_size=5: .*or use data\.validation=last"),
        (20, {"test_size": 20}, r"data\.test_size=20: has no effect.*use data\.test_size=null"),
        (
            20,
            {"test_size": None, "validation": "last", "validation_size": 10, "split_seed": 3},
            r"data\.split_seed=3: has no effect.*use data\.split_seed=0 or data\.validation=random",
        ),
        (
            20,
            {"test_size": None, "validation": "test", "validation_size": None, "split_seed": 3},
            r"data\.split_seed=3: has no effect",
        ),
        *(
            (
                20,
                {"test_size": None, "validation": validation, "validation_size": size, "resampled_by": 1},
                rf"resample_split=true: has no effect.*validation={validation}; use resample_split=false or data\.val",
            )
            for validation, size in (("last", 10), ("test", None))
        ),
    ],
)
def test_sizes_that_do_not_suit_the_data_are_refused(num_test, changes, message):
    with pytest.raises(ConfigError, match=message) as caught:
        split(np.arange(100) % 10, num_test=num_test, **changes)
    assert "\n" not in str(caught.value)


def test_resampling_has_no_effect_where_every_part_is_official():
    nothing_drawn = {"test_size": None, "validation": None, "validation_size": None}
    y = np.arange(100) % 2
    with pytest.raises(ConfigError, match=r"resample_split=true: has no effect.*own parts; use resample_split=false$"):
        split_rows(y, num_test=20, num_validation=10, stratify=True, options=options(**nothing_drawn, resampled_by=0))
    drawn = [split(y, num_test=20, **nothing_drawn, resampled_by=seed).validation.tolist() for seed in (0, 1)]
    assert drawn[0] != drawn[1]
