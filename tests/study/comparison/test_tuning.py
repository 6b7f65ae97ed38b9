"""Which rate is chosen, by which seeds, and what the verdict says about it."""

import pytest
from forged_runs import scored_run

from gradflow.study.comparison.claims import Gap
from gradflow.study.comparison.compare import compare
from gradflow.study.comparison.overall import overall
from gradflow.study.comparison.tuning import tune

RATES = (3e-4, 1e-3, 3e-3)


def swept(activation, scores, *, seeds=range(10), blocks=4, value=0.9, metric="val/acc_best", states=None):
    """Runs at three rates; the study's default, 1e-3, is not among the axes."""
    return [
        scored_run(
            activation,
            value + 0.001 * seed,
            seed=seed,
            blocks=blocks,
            lr=lr,
            axes={} if lr == 1e-3 else {"optimizer.lr": lr},
            metrics={metric: score},
            state=(states or {}).get((lr, seed), "finished"),
        )
        for lr, score in zip(RATES, scores, strict=True)
        for seed in seeds
    ]


def test_each_activation_is_tested_at_its_own_best_rate_on_other_seeds():
    records = swept("relu", [0.8, 0.9, 0.7]) + swept("sigmoid", [0.5, 0.6, 0.7], value=0.8)
    tuning = tune(records, tuning_seeds=[0, 1])
    assert [(c.axes["activation"], c.value, c.at_edge) for c in tuning.choices] == [
        ("relu", 1e-3, False),
        ("sigmoid", 3e-3, True),
    ]
    assert {(r["activation"], r["lr"]) for r in tuning.records} == {("relu", 1e-3), ("sigmoid", 3e-3)}
    assert {r["seed"] for r in tuning.records} == set(range(2, 10))
    assert all(set(r["axes"]) == {"activation", "blocks"} for r in tuning.records)
    (comparison,) = compare(records, tuning=tuning)
    assert comparison.seeds == tuple(range(2, 10))
    assert comparison.differences.mean == pytest.approx(-0.1)
    assert comparison.verdict.startswith(
        "ReLU scores higher than sigmoid at 4 blocks: shown (by 0.1 in each of 8 seeds"
    )
    assert comparison.verdict.endswith(
        "each at its best lr of 0.0003, 0.001, 0.003 (tuned on seeds 0, 1): "
        "sigmoid 0.003 (edge of the tried range), ReLU 0.001"
    )
    assert "untuned" not in comparison.verdict


def test_the_test_seeds_have_no_say_in_the_choice():
    records = swept("relu", [0.8, 0.9, 0.7])
    for record in records:
        if record["seed"] > 1 and record["lr"] == 3e-3:
            record["metrics"]["val/acc_best"] = 1.0
    assert tune(records, tuning_seeds=[0, 1]).choices[0].value == 1e-3


def test_the_choice_is_by_the_mean_over_the_tuning_seeds():
    scores = {(3e-4, 0): 0.6, (3e-4, 1): 0.6, (1e-3, 0): 0.9, (1e-3, 1): 0.2, (3e-3, 0): 0.5, (3e-3, 1): 0.6}
    records = swept("relu", [0.0, 0.0, 0.0])
    for record in records:
        record["metrics"]["val/acc_best"] = scores.get((record["lr"], record["seed"]), 0.0)
    assert tune(records, tuning_seeds=[0, 1]).choices[0].value == 3e-4  # means 0.6, 0.55, 0.55
    assert tune(records, tuning_seeds=[0]).choices[0].value == 1e-3


def test_each_depth_has_its_own_rate():
    records = swept("relu", [0.9, 0.8, 0.7], blocks=1) + swept("relu", [0.7, 0.8, 0.7], blocks=8)
    assert [c.value for c in tune(records, tuning_seeds=[0]).choices] == [3e-4, 1e-3]


def test_regression_is_tuned_on_the_lowest_loss():
    records = swept("relu", [0.3, 0.1, 0.2], metric="val/loss_best")
    assert tune(records, tuning_seeds=[0]).choices[0].value == 1e-3


def test_ties_go_to_the_smaller_rate():
    assert tune(swept("relu", [0.5, 0.9, 0.9 + 1e-9]), tuning_seeds=[0]).choices[0].value == 1e-3


@pytest.mark.parametrize(("state", "why", "at_edge"), [("diverged", "diverged", False), ("failed", "incomplete", True)])
def test_a_rate_whose_tuning_run_did_not_finish_is_out(state, why, at_edge):
    records = swept("relu", [0.7, 0.8, 0.9], states={(3e-3, 1): state}) + swept("sigmoid", [0.7, 0.8, 0.7])
    tuning = tune(records, tuning_seeds=[0, 1])
    relu = tuning.choices[0]
    # A rate that diverged has been tried: the range extends beyond the chosen rate. A rate that failed has not.
    assert (relu.value, relu.disqualified, relu.at_edge) == (1e-3, ((3e-3, why),), at_edge)
    assert f"0.003 {why})" in compare(records, tuning=tuning)[0].verdict


def test_without_a_rate_that_trains_there_is_no_verdict_but_a_comparison():
    diverged = {(lr, 0): "diverged" for lr in RATES}
    records = swept("relu", [0.7, 0.8, 0.7]) + swept("sigmoid", [0.7, 0.8, 0.7], states=diverged)
    (comparison,) = compare(records, tuning=tune(records, tuning_seeds=[0, 1]))
    assert (comparison.gap, comparison.family) == (Gap.NO_CHOICE, 1)
    assert "scores higher: no value of optimizer.lr is left for sigmoid; left out: " in comparison.verdict
    assert "sigmoid none (0.0003 diverged; 0.001 diverged; 0.003 diverged)" in comparison.verdict


def test_a_test_seed_that_diverges_at_the_chosen_rate():
    records = swept("relu", [0.7, 0.8, 0.7]) + swept("sigmoid", [0.7, 0.8, 0.7], states={(1e-3, 5): "diverged"})
    (comparison,) = compare(records, tuning=tune(records, tuning_seeds=[0, 1]))
    assert "scores higher: a seed diverged (sigmoid, seed 5), each" in comparison.verdict


def test_another_key_is_tuned_and_the_rate_is_not():
    records = [
        scored_run(name, seed=seed, axes=axes, metrics={"val/acc_best": score})
        for name in ("relu", "sigmoid")
        for axes, score in (({}, 0.5), ({"init": "kaiming"}, 0.7))
        for seed in range(8)
    ]
    tuning = tune(records, key="init", tuning_seeds=[0])
    assert [(c.value, c.tried, c.at_edge) for c in tuning.choices] == [("kaiming", ("default", "kaiming"), False)] * 2
    assert compare(records, tuning=tuning)[0].verdict.endswith(
        "each at its best init of default, kaiming (tuned on seeds 0): sigmoid kaiming, ReLU kaiming, "
        "at lr = 0.001, untuned"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tuning_seeds": [0], "key": "width"}, "tuning width: this study has only one value of it; sweep it first"),
        ({"tuning_seeds": [0, 12]}, r"tuning seeds 12: the study has no such runs, only seeds 0, 1, 2, 3"),
        ({"tuning_seeds": [0, 1, 2, 3]}, "tuning seeds 0, 1, 2, 3: no other seed is left to test"),
        ({"tuning_seeds": []}, "no tuning seeds; name some of 0, 1, 2, 3"),
    ],
)
def test_what_cannot_be_tuned(arguments, message):
    with pytest.raises(ValueError, match=message):
        tune(swept("relu", [0.7, 0.8, 0.9], seeds=range(4)), **arguments)


def test_nothing_to_tune_on_when_no_tuning_run_has_finished():
    planned = {(lr, 0): "planned" for lr in RATES}
    with pytest.raises(ValueError, match="have not finished; finish the sweep"):
        tune(swept("relu", [0.7, 0.8, 0.9], states=planned), tuning_seeds=[0])


def test_the_overall_verdict_of_a_tuned_study_counts_the_edges():
    records = [
        record
        for blocks in (1, 2)
        for record in swept("relu", [0.8, 0.9, 0.7], blocks=blocks) + swept("sigmoid", [0.5, 0.6, 0.7], blocks=blocks)
    ]
    records += swept("tanh", [0.5, 0.6, 0.5], blocks=2)
    text = overall(compare(records, tuning=tune(records, tuning_seeds=[0, 1]))).details[-1]
    assert "each at its best lr (tuned on seeds 0, 1; 2 of 5 at the edge of the tried range)" in text
