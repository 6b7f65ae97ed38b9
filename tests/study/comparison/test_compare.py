"""Comparisons of made-up studies whose answers are known."""

import io
import itertools
import math
import re

import numpy as np
import pytest
from forged_runs import scored_run, scored_runs
from rich.console import Console
from scipy import stats

from gradflow.study.comparison.compare import Outcome, activations, compare, comparison_table, overall

RELU = [0.95, 0.94, 0.96, 0.95, 0.93, 0.95, 0.97, 0.95]
LESS = [0.04, 0.02, 0.03, 0.03, 0.02, 0.04, 0.03, 0.03]  # mean 0.03; squared deviations sum to 4e-4
SIGMOID = [r - d for r, d in zip(RELU, LESS, strict=True)]


def test_a_clear_difference_by_hand():
    (comparison,) = compare(scored_runs("relu", RELU) + scored_runs("sigmoid", SIGMOID))
    assert (comparison.activation, comparison.baseline, comparison.group) == ("sigmoid", "relu", {"blocks": 4})
    assert comparison.seeds == tuple(range(8))
    assert comparison.differences.values == pytest.approx([-d for d in LESS])
    assert comparison.differences.mean == pytest.approx(-0.03)
    half = 2.364624252 * math.sqrt(4e-4 / 7) / math.sqrt(8)  # t of 7 degrees of freedom; 0.00632
    assert (comparison.differences.low, comparison.differences.high) == pytest.approx((-0.03 - half, -0.03 + half))
    assert (comparison.p, comparison.holm) == (2 / 256, 2 / 256)
    assert comparison.outcome is Outcome.LOWER
    assert comparison.verdict == (
        "relu beats sigmoid at blocks=4 by 0.0300 [0.0237, 0.0363] (8 seeds, p = 0.0078, Holm 0.0078), "
        "at lr = 0.001, untuned"
    )


def test_interval_and_p_are_scipys_on_random_data():
    rng = np.random.default_rng(0)
    relu, gelu = rng.normal(0.9, 0.02, size=(2, 9))
    (comparison,) = compare(scored_runs("relu", relu) + scored_runs("gelu", gelu))
    interval = stats.ttest_rel(gelu, relu).confidence_interval()
    exact = stats.permutation_test(
        (gelu - relu,), np.mean, permutation_type="samples", n_resamples=np.inf, vectorized=True
    )
    assert (comparison.differences.low, comparison.differences.high) == pytest.approx((interval.low, interval.high))
    assert comparison.p == pytest.approx(exact.pvalue)


def test_five_depths_are_one_family():
    depths = [1, 2, 4, 6, 8]
    records = [
        r for b in depths for r in scored_runs("relu", RELU, blocks=b) + scored_runs("sigmoid", SIGMOID, blocks=b)
    ]
    comparisons = compare(records)
    assert [c.group["blocks"] for c in comparisons] == depths
    assert [(c.family, c.needed) for c in comparisons] == [(5, 8)] * 5
    assert [c.holm for c in comparisons] == pytest.approx([5 * 2 / 256] * 5)
    assert all("beats" in c.verdict for c in comparisons)
    with_seven = [record for record in records if record["seed"] < 7]
    assert [c.outcome for c in compare(with_seven)] == [Outcome.TOO_FEW] * 5


def test_depths_are_in_order_of_size_and_activations_in_order_of_appearance():
    cells = itertools.product([16, 2, 8], ["sigmoid", "relu", "gelu"])
    comparisons = compare([scored_run(name, 0.9, blocks=blocks) for blocks, name in cells])
    assert [(c.activation, c.group["blocks"]) for c in comparisons] == [
        *(("sigmoid", b) for b in (2, 8, 16)),
        *(("gelu", b) for b in (2, 8, 16)),
    ]


def test_no_difference_is_reported_as_none_shown():
    other = [r + d for r, d in zip(RELU, [0.01, -0.01] * 4, strict=True)]
    (comparison,) = compare(scored_runs("relu", RELU) + scored_runs("tanh", other))
    assert (comparison.outcome, comparison.p) == (Outcome.NO_DIFFERENCE, 1.0)
    assert comparison.verdict.startswith("tanh against relu at blocks=4: no difference shown, ")
    assert comparison.verdict.endswith("(8 seeds, p = 1, Holm 1), at lr = 0.001, untuned")


def test_too_few_seeds():
    records = [
        record
        for blocks in (1, 2, 4, 6, 8)
        for record in scored_runs("relu", RELU[:3], blocks=blocks) + scored_runs("sigmoid", SIGMOID[:3], blocks=blocks)
    ]
    first = compare(records)[0]
    assert first.verdict == (
        "sigmoid against relu at blocks=1: too few seeds for a claim: 3 of the 8 needed for 5 comparisons, "
        "at lr = 0.001, untuned"
    )
    assert first.p == 2 / 8


def test_one_comparison_needs_six_seeds():
    assert compare(scored_runs("relu", RELU[:6]) + scored_runs("sigmoid", SIGMOID[:6]))[0].claimed
    (few,) = compare(scored_runs("relu", RELU[:5]) + scored_runs("sigmoid", SIGMOID[:5]))
    assert "5 of the 6 needed for 1 comparison," in few.verdict


@pytest.mark.parametrize("who", ["relu", "sigmoid"])
def test_a_diverged_seed_leaves_no_verdict_but_its_fact(who):
    records = scored_runs("relu", RELU) + scored_runs("sigmoid", SIGMOID)
    lost = next(r for r in records if r["activation"] == who and r["seed"] == 2)
    records[records.index(lost)] = scored_run(who, seed=2, state="diverged")
    (comparison,) = compare(records)
    assert comparison.outcome is Outcome.DIVERGED
    assert (comparison.p, comparison.holm, comparison.n) == (None, None, 7)
    assert comparison.verdict == (
        f"sigmoid against relu at blocks=4: a seed diverged ({who}, seed 2): no verdict, at lr = 0.001, untuned"
    )


def test_a_diverged_comparison_still_counts_in_the_family():
    records = [
        r for b in (1, 2) for r in scored_runs("relu", RELU, blocks=b) + scored_runs("sigmoid", SIGMOID, blocks=b)
    ]
    records[-1] = scored_run("sigmoid", seed=7, blocks=2, state="diverged")
    first, second = compare(records)
    assert second.outcome is Outcome.DIVERGED
    assert first.holm == 2 * first.p


@pytest.mark.parametrize("state", ["failed", "running", "planned", "interrupted"])
def test_unfinished_runs_do_not_count_and_are_listed(state):
    sigmoid = scored_runs("sigmoid", SIGMOID)
    sigmoid[3] = scored_run("sigmoid", seed=3, state=state)
    (comparison,) = compare(scored_runs("relu", RELU) + sigmoid[:-1])
    assert comparison.seeds == (0, 1, 2, 4, 5, 6)
    assert comparison.left_out == (("sigmoid", 3, state), ("sigmoid", 7, "not run"))
    assert f"; left out: sigmoid seed 3 ({state}), sigmoid seed 7 (not run), at lr" in comparison.verdict


def test_a_seed_unfinished_on_both_sides_is_not_listed():
    records = scored_runs("relu", RELU) + scored_runs("sigmoid", SIGMOID)
    records += [scored_run(name, seed=8, state="planned") for name in ("relu", "sigmoid")]
    assert "left out" not in compare(records)[0].verdict


def test_no_seed_in_common():
    (comparison,) = compare([scored_run("relu", seed=0), scored_run("sigmoid", seed=1)])
    assert (comparison.outcome, comparison.differences, comparison.n) == (Outcome.NO_SEED, None, 0)
    assert "no seed in common" in comparison.verdict


def test_a_depth_without_the_baseline_is_reported_and_not_compared():
    records = (
        scored_runs("relu", RELU, blocks=2)
        + scored_runs("sigmoid", SIGMOID, blocks=2)
        + scored_runs("sigmoid", SIGMOID, blocks=4)
    )
    first, second = compare(records)
    assert (first.family, first.claimed) == (1, True)
    assert second.outcome is Outcome.NO_BASELINE
    assert "at blocks=4: relu was not run there: no verdict" in second.verdict


@pytest.mark.parametrize("metric", ["test/loss_at_best", "val/loss_best", "test/mae_at_best"])
def test_of_a_loss_the_lower_one_wins(metric):
    more = [0.2 + d for d in LESS]
    records = [scored_run("relu", seed=s, metrics={metric: 0.2}) for s in range(8)]
    records += [scored_run("tanh", seed=s, metrics={metric: value}) for s, value in enumerate(more)]
    (comparison,) = compare(records, metric=metric)
    assert comparison.outcome is Outcome.HIGHER
    assert comparison.verdict.startswith("relu beats tanh at blocks=4 by 0.0300 [0.0237, 0.0363]")
    assert "relu is better than tanh" in overall([comparison])
    assert "in 1 of 1 comparisons, worse in 0, undecided in 0," in overall([comparison])


def test_gradient_norms_are_compared_in_decades_and_none_is_better():
    metric = "grad_norm/total"
    records = [scored_run("relu", seed=s, metrics={metric: 1e-2}) for s in range(8)]
    records += [scored_run("sigmoid", seed=s, metrics={metric: 1e-2 * 10 ** -(2 + d)}) for s, d in enumerate(LESS)]
    (comparison,) = compare(records, metric=metric)
    assert comparison.differences.mean == pytest.approx(-2.03)
    assert comparison.verdict.startswith(
        "relu has a higher grad_norm/total than sigmoid at blocks=4 by 2.0300 decades [2.0237, 2.0363]"
    )
    records[-1]["metrics"][metric] = 0.0
    (comparison,) = compare(records, metric=metric)
    assert comparison.n == 7
    assert "left out: sigmoid seed 7 (no grad_norm/total)" in comparison.verdict


def test_where_a_metric_is_not_defined_there_is_no_comparison():
    metric = "grad_flow/gain_per_layer"
    records = [scored_run(name, blocks=1) for name in ("relu", "sigmoid")]
    records += [scored_run(name, blocks=4, metrics={metric: 0.1}) for name in ("relu", "sigmoid")]
    (comparison,) = compare(records, metric=metric)
    assert (comparison.group, comparison.family) == ({"blocks": 4}, 1)
    with pytest.raises(ValueError, match=r"metric=nonsense: no finished run has it; they have test/acc_at_best"):
        compare(records, metric="nonsense")


def test_baselines():
    records = scored_runs("elu", RELU) + scored_runs("gelu", RELU)
    assert [c.baseline for c in compare(records)] == ["elu"]  # the first one, without relu
    assert [c.activation for c in compare(records, baseline="gelu")] == ["elu"]
    with pytest.raises(ValueError, match="baseline=tanh: the study has elu, gelu"):
        compare(records, baseline="tanh")


def test_other_axes_are_compared_apart():
    records = [
        record | {"lr": lr}
        for lr, axes in ((1e-3, {}), (0.01, {"optimizer.lr": 0.01}))
        for record in scored_runs("relu", RELU, axes=axes) + scored_runs("sigmoid", SIGMOID, axes=axes)
    ]
    first, second = compare(records)
    assert (first.where, second.where) == ("blocks=4", "blocks=4, optimizer.lr=0.01")
    assert first.verdict.endswith("at lr = 0.001, untuned")
    assert second.verdict.endswith("at lr = 0.01, untuned")
    assert first.family == 2


def test_axes_that_do_not_vary_are_not_repeated():
    axes = {"trainer.max_epochs": 2}
    (comparison,) = compare(scored_runs("relu", RELU, axes=axes) + scored_runs("sigmoid", SIGMOID, axes=axes))
    assert comparison.group == {"blocks": 4}


def test_parameters_of_an_activation_are_part_of_it():
    leaky = [scored_run("leaky_relu", axes={"activation.negative_slope": slope}) for slope in (0.1, 0.2)]
    records = [scored_run("relu"), *leaky]
    names = ["leaky_relu(negative_slope=0.1)", "leaky_relu(negative_slope=0.2)"]
    assert activations(records) == ["relu", *names]
    assert [(c.activation, c.group) for c in compare(records)] == [(name, {"blocks": 4}) for name in names]


def test_a_network_without_depth():
    (comparison,) = compare(scored_runs("relu", RELU, blocks=None) + scored_runs("sigmoid", SIGMOID, blocks=None))
    assert comparison.verdict.startswith("relu beats sigmoid by 0.0300")


def test_rates_that_differ_or_are_not_known():
    records = scored_runs("relu", RELU) + scored_runs("sigmoid", SIGMOID, lr=0.01)
    assert compare(records)[0].verdict.endswith("at lr = 0.01 (sigmoid), 0.001 (relu), untuned")
    unknown = [record | {"lr": None} for record in records]
    assert compare(unknown)[0].verdict.endswith("at lr = an unrecorded value, untuned")


def test_what_cannot_be_compared():
    with pytest.raises(ValueError, match="no runs"):
        compare([])
    with pytest.raises(ValueError, match=r"different headlines .*: name one metric"):
        compare([scored_run("relu"), scored_run("tanh", headline="test/r2_at_best")])
    with pytest.raises(ValueError, match="two runs of seed 0; compare one study at a time"):
        compare([scored_run("relu"), scored_run("relu")])
    assert compare(scored_runs("relu", RELU)) == []


def sentences(text):
    return re.split(r"\.\s", text)


def test_the_overall_verdict_takes_two_sentences():
    worse = [s - 0.1 for s in SIGMOID]
    records = [r for b in (1, 2, 4) for r in scored_runs("relu", RELU, blocks=b)]
    records += (
        scored_runs("sigmoid", SIGMOID, blocks=1)
        + scored_runs("sigmoid", worse, blocks=2)
        + scored_runs("sigmoid", RELU, blocks=4)
    )
    text = overall(compare(records))
    assert len(sentences(text)) == 2
    assert text.startswith(
        "relu is better than sigmoid (test/acc_at_best) in 2 of 3 comparisons, worse in 0, undecided in 1 "
        "(no difference shown in 1), at lr = 0.001, untuned. The largest difference: relu beats sigmoid at blocks=2 by"
    )


def test_the_overall_verdict_without_a_claim():
    text = overall(
        compare(scored_runs("relu", RELU[:2]) + scored_runs("sigmoid", SIGMOID[:2]) + scored_runs("tanh", RELU[:2]))
    )
    assert text.startswith("No claim about relu against 2 other activations (test/acc_at_best): too few seeds")
    assert "too few seeds (needs 7) in 2 of 2 comparisons, at lr = 0.001, untuned." in text
    assert text.endswith("; it supports no claim.")
    assert "sigmoid minus relu at blocks=4, is -0.03" in text
    assert overall([]) == "Nothing to compare: the study has only one activation."


def shown(comparisons, width=150):
    console = Console(file=io.StringIO(), width=width)
    console.print(comparison_table(comparisons))
    return console.file.getvalue()


def test_the_table_shows_every_seed_and_every_verdict():
    comparisons = compare(scored_runs("relu", RELU) + scored_runs("sigmoid", SIGMOID))
    text = shown(comparisons)
    for seed, less in enumerate(LESS):
        assert f"{seed}:-{less}" in text
    assert "[-0.0363, -0.0237]" in text
    assert comparisons[0].verdict in text
    assert "test/acc_at_best against relu\n" in re.sub(" +\n", "\n", text)


def test_the_table_says_when_the_epoch_was_selected_on_test():
    records = scored_runs("relu", RELU, selected_on="test") + scored_runs("sigmoid", SIGMOID, selected_on="test")
    assert "test/acc_at_best against relu, selected on test" in shown(compare(records))
    assert "selected on test" in overall(compare(records))


def test_the_table_of_nothing_and_of_no_numbers():
    assert "nothing to compare" in shown([])
    assert "no seed in common" in shown(compare([scored_run("relu", seed=0), scored_run("sigmoid", seed=1)]))
