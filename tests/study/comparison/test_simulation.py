"""How often verdicts are wrong, simulated: within bounds with few repetitions, and as docs/statistics.md has it."""

import math
import re

import numpy as np
import pytest
import simulated_verdicts as simulated

from gradflow import CONF
from gradflow.study.comparison import more_seeds

ROOT = CONF.parent
PAGE = (ROOT / "docs/statistics.md").read_text()
FEW = 2_000  # repetitions
NORMAL, TIES, EITHER, SKEWED, COLLAPSE = simulated.NULLS
SYMMETRIC = [null for null in simulated.NULLS if null.symmetric]


def above(rate, repetitions=FEW):
    """Three standard errors above a rate."""
    return rate + 3 * math.sqrt(rate * (1 - rate) / repetitions)


@pytest.mark.parametrize("null", SYMMETRIC, ids=lambda null: null.name)
@pytest.mark.parametrize(("n", "m"), [(6, 1), (8, 1), (8, 5), (10, 3)])
def test_where_differences_are_symmetric_what_is_shown_is_false_in_at_most_one_study_of_20(null, n, m):
    shown, suggested = simulated.false_claims(null, n=n, m=m, repetitions=FEW)
    assert 0 < shown <= above(0.05)
    assert suggested == 0  # there are seeds enough to show it


@pytest.mark.parametrize(("n", "m"), [(3, 1), (5, 1), (3, 5), (5, 3)])
def test_where_differences_are_normal_what_is_suggested_is_false_in_at_most_one_study_of_20(n, m):
    shown, suggested = simulated.false_claims(NORMAL, n=n, m=m, repetitions=FEW)
    assert shown == 0  # there are too few seeds
    assert 0 < suggested <= above(0.05)


def test_two_seeds_claim_nothing():
    assert simulated.false_claims(COLLAPSE, n=2, m=1, repetitions=FEW) == (0, 0)


def test_where_one_activation_collapses_claims_about_its_mean_are_false_as_often_as_no_run_does():
    # Without a collapse among the seeds, every difference is far above zero.
    for n, which in ((5, 1), (8, 0)):
        none = (1 - simulated.COLLAPSES) ** n
        rate = simulated.false_claims(COLLAPSE, n=n, m=1, repetitions=FEW)[which]
        assert rate == pytest.approx(none, abs=0.03)


def test_the_t_interval_holds_the_mean_of_normal_differences_and_misses_that_of_rare_collapses():
    standard_error = math.sqrt(0.95 * 0.05 / FEW)
    for n in simulated.SEEDS:
        assert simulated.coverage(NORMAL, n=n, repetitions=FEW) == pytest.approx(0.95, abs=3 * standard_error)
    assert simulated.coverage(COLLAPSE, n=5, repetitions=FEW) < 0.75


@pytest.mark.parametrize("null", simulated.NULLS, ids=lambda null: null.name)
def test_the_true_values_are_those_of_very_many_differences(null):
    many = null.draw(np.random.default_rng(0), (400_000,))
    assert many.mean() == pytest.approx(0, abs=5 * null.sd / math.sqrt(400_000))
    assert many.std() == pytest.approx(null.sd, rel=0.01)
    assert np.median(many) == pytest.approx(null.median, abs=0.01 * null.sd)
    assert np.mean(many > 1e-7) + np.mean(np.abs(many) <= 1e-7) / 2 == pytest.approx(null.improvement, abs=0.005)


def test_the_probability_of_improvement_is_unbiased_and_most_single_collapses_are_called_skewed():
    for null in simulated.NULLS:
        found = simulated.estimates(null, n=8, repetitions=FEW)
        mean, spread = found.improvement
        assert mean == pytest.approx(null.improvement, abs=4 * spread / math.sqrt(FEW))
    assert simulated.estimates(COLLAPSE, n=8, repetitions=FEW).skewed > 0.6
    assert simulated.estimates(NORMAL, n=8, repetitions=FEW).skewed < 0.15
    assert simulated.estimates(COLLAPSE, n=3, repetitions=FEW).skewed == 0


def test_power_grows_with_effect_and_seeds():
    suggested = [simulated.power(effect, n=3, m=3, repetitions=FEW)[1] for effect in simulated.EFFECTS]
    assert suggested == sorted(suggested)
    shown = [simulated.power(1.0, n=n, m=1, repetitions=FEW)[0] for n in simulated.SEEDS]
    assert shown == sorted(shown)
    assert simulated.power(4.0, n=8, m=5, repetitions=FEW)[0] > 0.99


def test_looking_after_every_further_seed_makes_false_claims_likelier():
    shown, claimed = zip(*(simulated.looking(last, repetitions=FEW) for last in (6, 8, 10)), strict=True)
    assert shown[0] <= above(0.05)
    assert shown[-1] > 0.08
    assert list(shown) == sorted(shown)
    assert all(more > less for more, less in zip(claimed, shown, strict=True))


# The page's tables are those that the benchmark prints; these rows take less than a second each.


def rows_of(header):
    """First two cells -> the row, of the table with this header."""
    table = PAGE.split(f"| {' | '.join(header)} |\n")[1].split("\n\n")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[1:]]
    return {tuple(row[:2]): row for row in rows}


def test_the_page_has_every_row():
    nulls = {(null.name, str(n)) for null in simulated.NULLS for n in simulated.SEEDS}
    assert set(rows_of(simulated.FALSE_HEADER)) == set(rows_of(simulated.ESTIMATES_HEADER)) == nulls
    effects = {(f"{effect:g}", str(n)) for effect in simulated.EFFECTS for n in simulated.SEEDS}
    assert set(rows_of(simulated.POWER_HEADER)) == effects
    assert [row[0] for row in rows_of(simulated.LOOKING_HEADER).values()] == [str(n) for n in simulated.LAST_LOOKS]


@pytest.mark.parametrize("null", simulated.NULLS, ids=lambda null: null.name)
def test_the_rows_of_the_page_are_what_the_simulation_gives(null):
    assert rows_of(simulated.FALSE_HEADER)[null.name, "3"] == simulated.false_row(null, 3)
    assert rows_of(simulated.ESTIMATES_HEADER)[null.name, "5"] == simulated.estimates_row(null, 5)


def test_power_and_looks_of_the_page_are_what_the_simulation_gives():
    assert rows_of(simulated.POWER_HEADER)["1", "3"] == simulated.power_row(1.0, 3)
    looks = {row[0]: row for row in rows_of(simulated.LOOKING_HEADER).values()}
    assert looks["8"] == simulated.looking_row(8)


def test_the_inflation_that_is_said_where_seeds_are_added_is_that_of_the_page():
    looks = {row[0]: row for row in rows_of(simulated.LOOKING_HEADER).values()}
    assert round(float(looks["16"][1]), 2) == more_seeds.INFLATED


def test_the_page_names_the_benchmark_that_make_bench_runs():
    command = re.search(r"python (tests/benchmarks/\w+\.py)", PAGE)[1]
    assert (ROOT / command).exists()
    bench = (ROOT / "Makefile").read_text().split("\nbench: ")[1].split("\n\n")[0]
    assert f"$(BIN)/python {command}" in bench
