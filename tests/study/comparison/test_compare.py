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

from gradflow.study.comparison.claims import Gap, Strength
from gradflow.study.comparison.compare import compare
from gradflow.study.comparison.table import comparison_table
from gradflow.study.configurations import activations

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
    assert (comparison.strength, comparison.gap) == (Strength.SHOWN, None)
    assert (comparison.ahead, comparison.behind) == ("relu", "sigmoid")
    assert comparison.verdict == (
        "ReLU scores higher than sigmoid at 4 blocks: shown (by 0.0300 [0.0237, 0.0363] on average over 8 seeds; "
        "sign flip p = 0.0078, Holm 0.0078), at lr = 0.001, untuned"
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
    assert [c.strength for c in comparisons] == [Strength.SHOWN] * 5
    with_seven = [record for record in records if record["seed"] < 7]
    assert [c.strength for c in compare(with_seven)] == [Strength.SUGGESTED] * 5


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
    assert (comparison.strength, comparison.gap, comparison.p) == (Strength.OPEN, Gap.NO_DIFFERENCE, 1.0)
    assert comparison.verdict == (
        "at 4 blocks: open whether ReLU or tanh scores higher: no difference shown (no difference on average over 8 "
        "seeds; sign flip p = 1, Holm 1), at lr = 0.001, untuned"
    )


def test_fewer_seeds_than_the_sign_flip_needs_may_suggest_a_difference():
    relu, sigmoid = [0.9, 0.92, 0.91], [0.8, 0.81, 0.82]  # differences -0.10, -0.11, -0.09
    (one,) = compare(scored_runs("relu", relu) + scored_runs("sigmoid", sigmoid))
    p = 1 - math.sqrt(300 / 302)  # t = 10 sqrt(3), by hand in test_evidence
    assert (one.strength, one.gap, one.p, one.needed) == (Strength.SUGGESTED, None, 2 / 8, 6)
    assert (one.t, one.t_holm) == pytest.approx((p, p), rel=1e-4)
    assert one.verdict == (  # 4.303 * 0.01 / sqrt(3) = 0.0248
        "ReLU scores higher than sigmoid at 4 blocks: suggested (by 0.100 [0.075, 0.125] on average over 3 seeds; "
        "paired t test p = 0.0033, Holm 0.0033, which assumes roughly normal differences), at lr = 0.001, untuned"
    )


def few(differences, *, depths=(4,), more=()):
    """The comparisons of relu with sigmoid, which is this much worse at every depth."""
    relu = RELU[: len(differences)]
    sigmoid = [r - d for r, d in zip(relu, differences, strict=True)]
    records = [
        run for b in depths for run in scored_runs("relu", relu, blocks=b) + scored_runs("sigmoid", sigmoid, blocks=b)
    ]
    return compare([*records, *more])


def test_what_is_suggested_is_corrected_over_the_same_family():
    # t = 10 sqrt(3) has p = 0.0033: suggested among 15 comparisons, not among 16.
    assert few([0.10, 0.11, 0.09], depths=range(1, 16))[0].strength is Strength.SUGGESTED
    assert few([0.10, 0.11, 0.09], depths=range(1, 17))[0].strength is Strength.OPEN
    # t = 2 / (1 / sqrt(3)) has p = 0.074.
    assert few([0.01, 0.02, 0.03])[0].strength is Strength.OPEN


def test_comparisons_without_a_p_value_count_as_1_in_the_correction_of_what_is_suggested():
    lost = [scored_run("relu", seed=0, blocks=8), scored_run("sigmoid", seed=0, blocks=8, state="diverged")]
    absent = [scored_run("relu", seed=0, blocks=9), scored_run("sigmoid", seed=1, blocks=9)]
    alone, *_ = few([0.10, 0.11, 0.09])
    first, diverged, missing = few([0.10, 0.11, 0.09], more=lost + absent)
    assert (diverged.gap, missing.gap) == (Gap.DIVERGED, Gap.NO_SEED)
    assert first.t_holm == pytest.approx(3 * alone.t)
    assert first.family == 3


@pytest.mark.parametrize("differences", [[0.1], [0.1, 0.11], [0.1, 0.1, 0.1]])
def test_one_or_two_seeds_or_equal_differences_suggest_nothing(differences):
    (comparison,) = few(differences)
    assert (comparison.strength, comparison.gap) == (Strength.OPEN, Gap.TOO_FEW)


def test_too_few_seeds():
    first, *_ = few([0.04, 0.02], depths=(1, 2, 4, 6, 8))
    assert first.verdict == (  # 12.706 * 0.01414 / sqrt(2) = 0.127
        "at 1 block: open whether ReLU or sigmoid scores higher: too few seeds, 2 of the 8 that 5 comparisons need "
        "(ReLU is ahead by 0.03 [-0.10, 0.16] on average over 2 seeds), at lr = 0.001, untuned"
    )
    assert first.p == 2 / 4


def test_one_comparison_needs_six_seeds():
    assert few([0.2, 0.2, 0.2, 0.2, 0.2, 0.2])[0].strength is Strength.SHOWN
    (five,) = few([0.2, 0.2, 0.2, 0.2, 0.2])
    assert "5 of the 6 that 1 comparison needs (ReLU is ahead by 0.2 in each of 5 seeds)," in five.verdict


def test_the_rounding_of_float32_scores_appears_neither_as_digits_nor_as_an_interval():
    better, worse = [290, 160, 80, 299, 20, 77], [289, 159, 79, 298, 19, 76]
    scores = [[float(np.float32(right) / np.float32(300)) for right in side] for side in (better, worse)]
    assert len({a - b for a, b in zip(*scores, strict=True)}) > 1
    (comparison,) = compare(scored_runs("relu", scores[0]) + scored_runs("sigmoid", scores[1]))
    assert comparison.strength is Strength.SHOWN
    assert set(comparison.differences.values) == {-0.00333}
    assert "(by 0.00333 in each of 6 seeds; sign flip" in comparison.verdict
    text = shown([comparison])
    assert "0.00333 " in text
    assert "[" not in text
    (equal,) = few([float(np.float32(0.93)) - float(np.float32(0.92))] * 6)
    assert "(by 0.01 in each of 6 seeds;" in equal.verdict


def test_where_one_run_in_five_collapses_the_median_stands_beside_the_mean():
    (comparison,) = few([-0.01, -0.02, -0.01, -0.02, 0.8, -0.01, -0.02, -0.01])
    assert comparison.skewed
    assert comparison.median == pytest.approx(0.01)
    assert comparison.improvement == 7 / 8
    assert comparison.gap is Gap.NO_DIFFERENCE
    # By its mean ReLU is ahead, in most seeds sigmoid is.
    assert "skewed: the median is -0.010, the probability of improvement 0.12; " in comparison.verdict
    assert "of symmetry about 0 rather than of the mean)" in comparison.verdict
    assert "skewed" not in few(LESS)[0].verdict


def test_a_claim_about_skewed_differences_says_what_was_tested():
    (flipped,) = few([0.01, 0.02, 0.01, 0.02, 0.8, 0.01, 0.02, 0.01])
    assert flipped.strength is Strength.SHOWN
    assert "skewed: the median is 0.015, the probability of improvement 1.00; sign flip p = 0.0078" in flipped.verdict
    assert "Holm 0.0078, of symmetry about 0 rather than of the mean)" in flipped.verdict
    (by_t,) = few([0.30, 0.31, 0.30, 0.31, 0.35])
    assert by_t.strength is Strength.SUGGESTED
    assert "although it assumes roughly normal differences)" in by_t.verdict


@pytest.mark.parametrize(("who", "words"), [("relu", "ReLU"), ("sigmoid", "sigmoid")])
def test_a_diverged_seed_leaves_no_verdict_but_its_fact(who, words):
    records = scored_runs("relu", RELU) + scored_runs("sigmoid", SIGMOID)
    lost = next(r for r in records if r["activation"] == who and r["seed"] == 2)
    records[records.index(lost)] = scored_run(who, seed=2, state="diverged")
    (comparison,) = compare(records)
    assert (comparison.strength, comparison.gap) == (Strength.OPEN, Gap.DIVERGED)
    assert (comparison.p, comparison.holm, comparison.n) == (None, None, 7)
    assert comparison.verdict == (
        f"at 4 blocks: open whether ReLU or sigmoid scores higher: a seed diverged ({words}, seed 2), "
        "at lr = 0.001, untuned"
    )


def test_a_diverged_comparison_still_counts_in_the_family():
    records = [
        r for b in (1, 2) for r in scored_runs("relu", RELU, blocks=b) + scored_runs("sigmoid", SIGMOID, blocks=b)
    ]
    records[-1] = scored_run("sigmoid", seed=7, blocks=2, state="diverged")
    first, second = compare(records)
    assert second.gap is Gap.DIVERGED
    assert first.holm == 2 * first.p


@pytest.mark.parametrize("state", ["failed", "running", "planned", "interrupted"])
def test_unfinished_runs_do_not_count_and_are_listed(state):
    sigmoid = scored_runs("sigmoid", SIGMOID)
    sigmoid[3] = scored_run("sigmoid", seed=3, state=state)
    (comparison,) = compare(scored_runs("relu", RELU) + sigmoid[:-1])
    assert comparison.seeds == (0, 1, 2, 4, 5, 6)
    assert comparison.left_out == (("sigmoid", 3, state), ("sigmoid", 7, "not run"))
    assert f"; left out: sigmoid seed 3 ({state}), sigmoid seed 7 (not run), at lr" in comparison.verdict


def test_a_run_that_was_cut_short_does_not_count_and_is_listed_with_the_reason():
    sigmoid = scored_runs("sigmoid", SIGMOID)
    sigmoid[3] = scored_run("sigmoid", seed=3, state="cut_short", cut_short_by="trainer.max_steps=50")
    sigmoid[3]["metrics"]["test/acc_at_best"] = 0.1
    (comparison,) = compare(scored_runs("relu", RELU) + sigmoid)
    assert 3 not in comparison.seeds
    assert "left out: sigmoid seed 3 (cut_short by trainer.max_steps=50), at lr" in comparison.verdict


def test_a_seed_unfinished_on_both_sides_is_not_listed():
    records = scored_runs("relu", RELU) + scored_runs("sigmoid", SIGMOID)
    records += [scored_run(name, seed=8, state="planned") for name in ("relu", "sigmoid")]
    assert "left out" not in compare(records)[0].verdict


def test_no_seed_in_common():
    (comparison,) = compare([scored_run("relu", seed=0), scored_run("sigmoid", seed=1)])
    assert (comparison.gap, comparison.differences, comparison.n) == (Gap.NO_SEED, None, 0)
    assert "no seed in common" in comparison.verdict


def test_a_depth_without_the_baseline_is_reported_and_not_compared():
    records = (
        scored_runs("relu", RELU, blocks=2)
        + scored_runs("sigmoid", SIGMOID, blocks=2)
        + scored_runs("sigmoid", SIGMOID, blocks=4)
    )
    first, second = compare(records)
    assert (first.family, first.strength) == (1, Strength.SHOWN)
    assert second.gap is Gap.NO_BASELINE
    assert "at 4 blocks: open whether ReLU or sigmoid scores higher: ReLU was not run there" in second.verdict


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        ("test/loss_at_best", "test loss at the best epoch"),
        ("val/loss_best", "validation loss at the best epoch"),
        ("test/mae_at_best", "test mean absolute error at the best epoch"),
    ],
)
def test_of_a_loss_the_lower_one_wins(metric, words):
    more = [0.2 + d for d in LESS]
    records = [scored_run("relu", seed=s, metrics={metric: 0.2}) for s in range(8)]
    records += [scored_run("tanh", seed=s, metrics={metric: value}) for s, value in enumerate(more)]
    (comparison,) = compare(records, metric=metric)
    assert (comparison.ahead, comparison.behind) == ("relu", "tanh")
    assert comparison.verdict.startswith(f"ReLU has a lower {words} than tanh at 4 blocks: shown (by 0.0300 [0.0237, ")


def test_gradient_norms_are_compared_by_factors_and_none_is_better():
    metric = "grad_norm/total"
    records = [scored_run("relu", seed=s, metrics={metric: 1e-2}) for s in range(8)]
    records += [scored_run("sigmoid", seed=s, metrics={metric: 1e-2 * 10 ** -(2 + d)}) for s, d in enumerate(LESS)]
    (comparison,) = compare(records, metric=metric)
    assert comparison.differences.mean == pytest.approx(-2.03)  # decades
    assert comparison.verdict.startswith(  # 10^2.03, 10^2.0237, 10^2.0363
        "ReLU has a higher gradient norm than sigmoid at 4 blocks: shown (by a factor of 107 [106, 109] on average"
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
    assert comparison.verdict.startswith("ReLU scores higher than sigmoid: shown (by 0.0300 ")


def test_rates_that_differ_or_are_not_known():
    records = scored_runs("relu", RELU) + scored_runs("sigmoid", SIGMOID, lr=0.01)
    assert compare(records)[0].verdict.endswith("at lr = 0.01 (sigmoid), 0.001 (ReLU), untuned")
    unknown = [record | {"lr": None} for record in records]
    assert compare(unknown)[0].verdict.endswith(", untuned")
    assert "lr" not in compare(unknown)[0].verdict


def test_what_cannot_be_compared():
    with pytest.raises(ValueError, match="no runs"):
        compare([])
    with pytest.raises(ValueError, match=r"different headlines .*: name one metric, such as --metric test/acc_at_best"):
        compare([scored_run("relu"), scored_run("tanh", headline="test/r2_at_best")])
    with pytest.raises(ValueError, match="two runs of seed 0; compare one study at a time"):
        compare([scored_run("relu"), scored_run("relu")])
    assert compare(scored_runs("relu", RELU)) == []


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
    assert comparisons[0].verdict in " ".join(text.split())
    assert "test/acc_at_best against relu\n" in re.sub(" +\n", "\n", text)


def test_the_table_says_when_the_epoch_was_selected_on_test():
    records = scored_runs("relu", RELU, selected_on="test") + scored_runs("sigmoid", SIGMOID, selected_on="test")
    assert "test/acc_at_best against relu, selected on test" in shown(compare(records))


def test_the_table_of_nothing_and_of_no_numbers():
    assert "nothing to compare" in shown([])
    assert "no seed in common" in shown(compare([scored_run("relu", seed=0), scored_run("sigmoid", seed=1)]))


def normed(norm, *, spelled=True, blocks=(1, 2), seeds=7):
    """A study's runs with this normalisation; batch is the default, which axes leave out."""
    return [
        scored_run(
            name,
            value,
            blocks=b,
            seed=seed,
            axes={} if norm == "batch" else {"model.norm": norm},
            overrides=[
                f"activation={name}",
                f"blocks={b}",
                *([f"model.norm={norm}"] if spelled else []),
                f"seed={seed}",
            ],
        )
        for b in blocks
        for name, values in (("relu", RELU), ("sigmoid", SIGMOID))
        for seed, value in enumerate(values[:seeds])
    ]


def test_the_interval_of_a_difference_ends_at_the_largest_possible_one():
    """Of accuracies that is 1: 0.8 ± 12.7 · 0.1 holds no possible mean beyond."""
    records = [
        scored_run(name, value, seed=seed)
        for name, values in (("relu", (1.0, 0.9)), ("sigmoid", (0.1, 0.2)))
        for seed, value in enumerate(values)
    ]
    (comparison,) = compare(records)
    assert (comparison.differences.low, comparison.differences.mean) == (-1.0, pytest.approx(-0.8))
    losses = [record | {"metrics": {"test/loss": 1 - record["metrics"]["test/acc_at_best"]}} for record in records]
    (unbounded,) = compare(losses, metric="test/loss")
    assert unbounded.differences.high == pytest.approx(0.8 + 12.706 * 0.1, abs=1e-3)


def test_each_normalisation_is_a_family_of_its_own():
    comparisons = compare(normed("batch") + normed("none"))
    assert [(c.norm, c.family, c.needed) for c in comparisons] == [*[("batch", 2, 7)] * 2, *[("none", 2, 7)] * 2]
    depths = [(norm, blocks) for norm in ("batch", "none") for blocks in (1, 2)]
    assert [c.where for c in comparisons] == [f"blocks={blocks}, model.norm={norm}" for norm, blocks in depths]
    assert [c.holm for c in comparisons] == pytest.approx([2 * 2 / 128] * 4)  # one family of four would need 8 seeds
    assert comparisons[0].verdict.startswith(
        "ReLU scores higher than sigmoid at 1 block, with batch normalisation: shown"
    )
    assert comparisons[2].verdict.startswith("ReLU scores higher than sigmoid at 1 block, without normalisation: shown")


def test_a_family_s_size_is_that_of_its_own_normalisation():
    batch, none = normed("batch", blocks=(1, 2, 4, 6, 8)), normed("none", blocks=(1,))
    assert {c.norm: (c.family, c.needed) for c in compare(batch + none)} == {"batch": (5, 8), "none": (1, 6)}


def test_a_default_normalisation_that_no_command_spells_out_is_called_so():
    comparisons = compare(normed("batch", spelled=False) + normed("none"))
    assert {c.norm for c in comparisons} == {"default", "none"}
    assert "at 1 block, with default normalisation: shown" in comparisons[0].verdict


def test_the_default_is_that_of_the_model():
    """A stack of convolutions has batch normalisation by default, an MLP none: axes leave out either."""

    def runs(model, norm, axes):
        overrides = [f"model={model}", f"model.norm={norm}"]
        return [
            scored_run(name, value, seed=seed, axes=axes, overrides=overrides)
            for name, values in (("relu", RELU), ("sigmoid", SIGMOID))
            for seed, value in enumerate(values)
        ]

    records = [
        *runs("conv", "batch", {}),
        *runs("conv", "none", {"model.norm": "none"}),
        *runs("mlp", "none", {"model": "mlp"}),
        *runs("mlp", "batch", {"model": "mlp", "model.norm": "batch"}),
    ]
    assert {c.norm: c.family for c in compare(records)} == {"batch": 2, "none": 2}


def test_a_command_that_leaves_out_the_default_belongs_to_the_family_of_those_that_spell_it_out():
    records = normed("batch", spelled=False, blocks=(1, 2)) + normed("batch", blocks=(4,)) + normed("none", blocks=(4,))
    assert {c.norm: c.family for c in compare(records)} == {"batch": 3, "none": 1}


def test_a_normalisation_that_does_not_vary_is_no_family_and_other_axes_stay_in_one():
    assert {(c.norm, c.family) for c in compare(normed("none"))} == {(None, 2)}
    rates = [
        record | {"axes": record["axes"] | axes}
        for axes in ({}, {"optimizer.lr": 0.01})
        for record in scored_runs("relu", RELU) + scored_runs("sigmoid", SIGMOID)
    ]
    assert {(c.norm, c.family) for c in compare(rates)} == {(None, 2)}


def test_scores_by_recomputed_statistics_are_no_family():
    records = scored_runs("relu", RELU) + scored_runs("sigmoid", SIGMOID)
    for record in records:
        record["metrics"]["test/acc_running_bn"] = 0.9
    (comparison,) = compare(records)
    assert (comparison.metric, comparison.family) == ("test/acc_at_best", 1)
