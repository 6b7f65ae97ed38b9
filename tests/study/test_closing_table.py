"""The closing table: means and spreads checked by hand, the best marked, what went wrong listed."""

import io
import math

import pytest
from forged_runs import run_record, scored_run
from rich.console import Console

from gradflow.errors import Diverged
from gradflow.runs import tags
from gradflow.runs.metrics import Metric
from gradflow.runs.record import error_entry
from gradflow.study.closing_table import closing_table, mean_and_sd

SEEDS = "(training's randomness, with one split and one test set)"
ACC, FLOW = "test/acc_at_best", tags.GAIN_PER_LAYER


def lines(records):
    """The table as it is printed, line by line."""
    out = io.StringIO()
    Console(file=out, width=200).print(closing_table(records))
    return out.getvalue().splitlines()


def cells(records, row):
    """The entries of the row that begins with a name."""
    return [
        cell.strip() for cell in next(line for line in lines(records) if line.startswith(f"│ {row}")).split("│")[2:-1]
    ]


def test_mean_and_sample_standard_deviation_by_hand():
    assert mean_and_sd([1.0, 2.0, 4.5]) == pytest.approx((2.5, math.sqrt((2.25 + 0.25 + 4.0) / 2)))
    mean, sd = mean_and_sd([0.25])
    assert mean == 0.25
    assert math.isnan(sd)


def test_cells_hold_mean_and_spread_over_the_seeds_and_the_best_of_a_column_is_marked():
    values = {("relu", 1): (0.5, 0.7), ("relu", 2): (0.2, 0.4), ("sigmoid", 1): (0.1, 0.3), ("sigmoid", 2): (0.6, 0.6)}
    records = [
        run_record(activation, blocks=blocks, seed=seed, metrics={ACC: value, FLOW: 0.25 * (seed + 1)})
        for (activation, blocks), pair in values.items()
        for seed, value in enumerate(pair)
    ]
    assert cells(records, "relu") == ["0.600 ± 0.141 *", "0.300 ± 0.141"]
    assert cells(records, "sigmoid") == ["0.200 ± 0.141", "0.600 ± 0.000 *"]
    text = "\n".join(lines(records))
    assert "study: test/acc_at_best" in text
    assert "selected on test" not in text
    assert "mean ± sd over 2 seeds" in text
    assert text.count("\N{MULTIPLICATION SIGN}0.35") == 4  # √(0.25 · 0.5), the gain per layer below each cell
    assert "below: the gradient's gain per layer" in text


def test_where_no_network_has_a_gain_per_layer_first_and_last_layer_are_compared():
    first_to_last = {"grad_flow/first_to_last": 0.02}
    text = "\n".join(lines([run_record("relu", blocks=None, metrics={ACC: 0.5} | first_to_last)]))
    assert "\N{MULTIPLICATION SIGN}0.02" in text
    assert (
        "below: gradient of the first hidden layer over that of the last (no two later layers have one shape)" in text
    )


@pytest.mark.parametrize(
    ("headline", "best"),
    [
        ("test/loss_at_best", "relu"),
        ("test/mae_at_best", "relu"),
        ("test/loss", "relu"),
        ("val/loss_best", "relu"),
        ("test/r2_at_best", "sigmoid"),
        ("test/acc", "sigmoid"),
    ],
)
def test_lower_is_better_for_losses_and_errors(headline, best):
    records = [
        run_record(name, blocks=1, headline=headline, metrics={headline: value})
        for name, value in [("relu", 0.1), ("sigmoid", 0.9)]
    ]
    marked = {name: cells(records, name)[0].endswith("*") for name in ("relu", "sigmoid")}
    assert marked == {"relu": best == "relu", "sigmoid": best == "sigmoid"}


def test_a_column_with_one_row_has_no_best():
    assert cells([run_record("relu", blocks=1, metrics={ACC: 0.5})], "relu") == ["0.500"]


def test_columns_are_sorted_and_models_without_blocks_have_an_unnamed_one():
    records = [run_record("relu", blocks=blocks, seed=0, metrics={ACC: 0.5}) for blocks in (10, None, 2)]
    header = next(line for line in lines(records) if "blocks=2" in line)
    assert header.index("blocks=2") < header.index("blocks=10")
    assert cells(records, "relu") == ["0.500"] * 3


def test_other_axes_make_rows_of_their_own():
    records = [
        run_record("relu", blocks=1, axes={"init": init}, metrics={ACC: value})
        for init, value in [("he", 0.6), ("lecun", 0.5)]
    ]
    assert cells(records, "relu, init=he") == ["0.600 *"]
    assert cells(records, "relu, init=lecun") == ["0.500"]


def test_a_protocol_that_selects_on_the_test_set_says_so():
    chosen = [run_record("relu", blocks=1, selected_on="test", metrics={ACC: 0.5})]
    assert "study: test/acc_at_best, selected on test" in "\n".join(lines(chosen))
    last = [run_record("relu", blocks=1, selected_on="test", headline="test/acc", metrics={"test/acc": 0.5})]
    assert "selected on test" not in "\n".join(lines(last))


def test_diverged_runs_are_counted_next_to_the_mean_of_the_others():
    records = [
        run_record("relu", blocks=1, metrics={ACC: 0.5}),
        run_record("relu", blocks=1, seed=1, metrics={ACC: 0.7}),
        run_record(
            "relu",
            blocks=1,
            seed=2,
            state="diverged",
            metrics={"train/loss": 9.0},
            error=error_entry(Diverged("at 3")),
        ),
    ]
    text = "\n".join(lines(records))
    assert cells(records, "relu") == ["0.600 ± 0.141"]
    assert "1 diverged" in text
    assert "diverged: activation=relu,blocks=1/seed=2: Diverged: at 3" in text


def test_a_cell_in_which_every_seed_diverged_says_so():
    records = [run_record("relu", blocks=1, seed=seed, state="diverged") for seed in (0, 1)]
    assert "2 diverged" in "\n".join(lines(records))


def test_failed_runs_are_listed_by_the_first_line_of_their_error_and_do_not_count():
    broken = error_entry(ValueError("first\nsecond"))
    records = [
        run_record("relu", blocks=1, metrics={ACC: 0.5}),
        run_record("relu", blocks=1, seed=1, state="failed", metrics={ACC: 0.9}, error=broken),
        run_record("relu", blocks=1, seed=2, state="planned"),
        run_record("relu", blocks=1, seed=3, state="interrupted", error=error_entry(KeyboardInterrupt())),
    ]
    text = lines(records)
    assert cells(records, "relu") == ["0.500"]
    assert "failed: activation=relu,blocks=1/seed=1: ValueError: first" in text
    assert "interrupted: activation=relu,blocks=1/seed=3: KeyboardInterrupt" in text
    assert not any("second" in line or line.startswith("planned") for line in text)


def test_runs_that_were_cut_short_are_listed_with_the_reason_and_do_not_count():
    cut = {"state": "cut_short", "metrics": {ACC: 0.9}, "cut_short_by": "trainer.max_steps=50"}
    records = [run_record("relu", blocks=1, metrics={ACC: 0.5}), run_record("relu", blocks=1, seed=1, **cut)]
    assert cells(records, "relu") == ["0.500"]
    assert "cut_short: activation=relu,blocks=1/seed=1: by trainer.max_steps=50" in lines(records)


def test_unequal_numbers_of_seeds_are_shown():
    records = [
        *(run_record("relu", blocks=1, seed=seed, metrics={ACC: 0.5}) for seed in (0, 1, 2)),
        *(run_record("sigmoid", blocks=1, seed=seed, metrics={ACC: 0.4}) for seed in (0, 1)),
    ]
    assert "mean ± sd over 2 to 3 seeds" in "\n".join(lines(records))


def test_a_metric_that_nobody_has_leaves_empty_cells():
    records = [run_record(name, blocks=1, metrics={ACC: None}) for name in ("relu", "sigmoid")]
    assert cells(records, "relu") == cells(records, "sigmoid") == ["-"]


def test_axes_that_all_configurations_share_are_in_the_title():
    records = [
        run_record(name, blocks=1, axes={"width": 8, "init": init})
        for name, init in [("relu", "he"), ("tanh", "lecun")]
    ]
    text = lines(records)
    assert "(width=8)" in text[0]
    assert not any("width" in line for line in text[1:])
    assert any("tanh, init=lecun" in line for line in text)


def test_in_a_tie_none_is_best():
    records = [run_record(name, blocks=1, metrics={ACC: 0.5}) for name in ("relu", "tanh")]
    assert cells(records, "relu") == cells(records, "tanh") == ["0.500"]


def test_the_table_has_no_caveat_about_running_averages():
    metrics = {ACC: 0.5, "test/acc": 0.5, "test/acc_running_bn": 0.9}
    assert "lag" not in "\n".join(lines([run_record("sigmoid", blocks=1, metrics=metrics)]))


def test_runs_of_different_headlines_are_told_apart():
    mixed = [
        run_record("relu", headline="test/f1", metrics={"test/f1": 0.5, ACC: 0.9}),
        run_record("tanh", metrics={ACC: 0.8}),
    ]
    shown = "\n".join(lines(mixed))
    assert "each by its own headline" in shown
    assert "relu, test/f1 " in shown
    assert f"tanh, {ACC} " in shown


def column(headline, values, better=None):
    """The entries of activations a, b, ... in a table of one column; a value, or one for each seed."""
    declared = [Metric(headline, "made up", better=better).as_entry()] if better else []
    records = [
        run_record(name, blocks=1, seed=seed, headline=headline, metrics={headline: value}, declared_metrics=declared)
        for name, seeds in zip("abcd", values, strict=False)
        for seed, value in enumerate(seeds if isinstance(seeds, tuple) else (seeds,))
    ]
    return [cells(records, name)[0] for name, _ in zip("abcd", values, strict=False)]


def test_a_ratio_of_gradients_is_neither_zero_nor_best():
    values = [(1.2e-4, 1.2e-4), (4.7e-10, 4.7e-10), (0.25, 0.25), (12.0, 12.0)]
    shown = ["1.2e-04 ± 0.00", "4.7e-10 ± 0.00", "0.25 ± 0.00", "12 ± 0.00"]
    assert column("grad_flow/first_to_last", values) == shown
    # Geometric: of 1e-4 and 1e-8 it is 1e-6, four decades apart (sd 4 / sqrt(2)); the arithmetic mean is 5e-5.
    assert column("grad_flow/first_to_last", [(1e-4, 1e-8)]) == ["1.0e-06 ± 2.83"]


def test_half_of_the_units_dead_is_not_best_and_a_small_share_is_not_shown_as_none():
    assert column("dead_units/total", [0.49, 0.0]) == ["0.490", "0.000 *"]
    assert column("dead_units/total", [0.49, 0.00003]) == ["0.490", "3.0e-05 *"]
    assert column("dead_units/total", [0.0003, 0.002]) == ["0.0003 *", "0.0020"]
    assert column("low_slope/total", [0.49, 0.1]) == ["0.490", "0.100"]  # sparsity is neither good nor bad


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ((0.95, 0.95), "0.950 ± 0.000"),
        ((0.9503, 0.9497), "0.9500 ± 0.0004"),
        ((0.0034, 0.0034), "0.0034 ± 0.0000"),
        ((4.7e-10, 4.9e-10), "4.8e-10 ± 1.4e-11"),
        ((0.95, 0.95002), "0.9500 ± 1.4e-05"),
        ((0.1, 0.1 + 2**-27), "0.100 ± 0.000"),  # the rounding of float32
        ((-0.25, -0.75), "-0.500 ± 0.354"),
        ((2e6, 4e6), "3.0e+06 ± 1.4e+06"),
        ((0.0, 0.0), "0.000 ± 0.000"),
    ],
)
def test_every_number_shows_something_of_itself(values, shown):
    assert column("test/loss_at_best", [values]) == [shown]


@pytest.mark.parametrize(
    ("better", "values", "starred"),
    [
        ("higher", [0.5, 0.6, 0.4], [1]),
        ("lower", [0.5, 0.6, 0.4], [2]),
        (None, [0.5, 0.6, 0.4], []),
        ("higher", [0.50004, 0.50001], []),  # the same as shown
        ("higher", [0.501, 0.5], [0]),
        ("higher", [0.50004, 0.50001, 0.3], []),  # the best two tie
        ("higher", [(0.5, 0.7), (0.6, 0.8)], []),  # 0.1 apart, standard error sqrt(2 * 0.02 / 2) = 0.14
        ("higher", [(0.5, 0.7), (0.75, 0.95)], [1]),
        ("lower", [(0.5, 0.7), (0.75, 0.95)], [0]),
        ("higher", [(0.5, 0.7), 0.65], []),  # the seed alone has no spread of its own: 0.05 against 0.1
    ],
)
def test_a_star_needs_a_direction_and_a_difference_that_stands_out(better, values, starred):
    entries = column("made/up", values, better)
    assert [place for place, entry in enumerate(entries) if entry.endswith("*")] == starred


def test_the_caption_says_which_direction_is_best_where_a_star_is_shown():
    def caption(headline, *, seeds=2, others=0.8):
        scores = {"relu": 0.5, "sigmoid": others}
        records = [
            run_record(name, seed=seed, headline=headline, metrics={headline: value, FLOW: 0.3})
            for name, value in scores.items()
            for seed in range(seeds)
        ]
        return next(line for line in lines(records) if "below: " in line)

    assert "; * best at its depth (highest) by more than a standard error; below" in caption(ACC)
    assert "; * best at its depth (lowest) by more" in caption("test/loss_at_best")
    assert "; * best at its depth (lowest); below" in caption("dead_units/total", seeds=1)
    assert f"mean ± sd over 2 seeds {SEEDS}; below" in caption(ACC, others=0.5)
    assert f"mean ± sd over 2 seeds {SEEDS}; below" in caption("dormant_units/total")
    assert f"geometric mean ± sd in decades over 2 seeds {SEEDS}; below" in caption("grad_norm/total")


def test_only_seeds_with_a_value_are_counted():
    records = [run_record("relu", seed=seed, headline="own", metrics={ACC: 0.5}) for seed in range(3)]
    assert lines(records)[-1].strip() == "no value yet"
    records[2]["metrics"]["own"] = 0.28  # its monitor was added later
    assert lines(records)[-1].strip() == "one seed"
    records[1]["metrics"]["own"] = 0.26
    assert lines(records)[-1].strip() == f"mean ± sd over 2 seeds {SEEDS}"


def test_a_single_row_has_no_star_to_explain_and_no_empty_line():
    text = lines([run_record("relu", blocks=1, metrics={ACC: 0.758})])
    assert text[-1].strip() == "one seed"
    assert [line for line in text if line.startswith("│")] == ["│ relu       │    0.758 │"]


def test_a_gain_per_layer_that_is_the_headline_is_not_shown_twice():
    records = [run_record("relu", seed=seed, headline=FLOW, metrics={FLOW: 0.31}) for seed in (0, 1)]
    assert cells(records, "relu") == ["0.31 ± 0.00"]
    text = "\n".join(lines(records))
    assert "\N{MULTIPLICATION SIGN}" not in text
    assert f"{SEEDS}; the gradient's gain per layer on its way to the input (under 1 it vanishes)" in text


def test_a_narrow_terminal_breaks_the_caption_between_words():
    out = io.StringIO()
    records = [run_record("relu", blocks=1, seed=seed, metrics={ACC: 0.5}) for seed in (0, 1)]
    Console(file=out, width=80).print(closing_table(records))
    assert max(map(len, out.getvalue().splitlines())) <= 80


def test_a_gradient_magnitude_has_a_geometric_mean_and_no_best():
    values = {"relu": (1e-4, 1e-2), "sigmoid": (1e-9, 1e-7)}
    records = [
        scored_run(name, 0.9, seed=seed, headline="grad_norm/total", metrics={"grad_norm/total": value})
        for name, pair in values.items()
        for seed, value in enumerate(pair)
    ]
    text = "\n".join(lines(records))
    assert "1.0e-03 ± 1.41" in text  # by hand: the mean of -4 and -2, and their sd √2, in decades
    assert "1.0e-08 ± 1.41" in text
    assert text.endswith(f"geometric mean ± sd in decades over 2 seeds {SEEDS}")  # no star is explained
    assert "*" not in text


def test_seeds_whose_gradient_is_zero_are_said_to_be_left_out_of_a_geometric_mean():
    values = (1e-4, 0.0, 1e-2)
    records = [
        run_record("relu", blocks=1, seed=seed, headline="grad_norm/total", metrics={"grad_norm/total": value})
        for seed, value in enumerate(values)
    ]
    assert cells(records, "relu") == ["1.0e-03 ± 1.41"]
    assert "over 3 seeds, zeros left out" in "\n".join(lines(records))
    assert "left out" not in "\n".join(lines(records[::2]))


def test_metrics_of_different_tasks_are_shown_and_not_ranked():
    other = "test/r2_at_best"
    records = [scored_run("relu", 0.9), scored_run("tanh", 0.5, headline=other, metrics={other: 0.5})]
    text = "\n".join(lines(records))
    assert "0.900" in text
    assert "0.500" in text
    assert " *" not in text.replace("; * best", "")
