"""Every rule in run folders made by hand: where it holds, and where it just does not."""

import math
from pathlib import Path

import pytest
import yaml
from forged_runs import write_run
from hydra.utils import instantiate

from gradflow import CONF, activations
from gradflow.advise.findings import advise
from gradflow.advise.measured_run import SIGMOID_LIKE
from gradflow.advise.rules import RULES
from gradflow.errors import Diverged
from gradflow.invocation import interpreter
from gradflow.runs import health
from gradflow.runs.record import error_entry
from gradflow.study.records import study_runs

EPOCHS, STEPS = 4, 50  # of the runs made here; an epoch has 50 updates
ENDS = [STEPS * (epoch + 1) for epoch in range(EPOCHS)]


def curves(**more):
    """A healthy network of three hidden layers and a head, by tag; `more` has `__` for the slash of a tag."""
    layers = ["01_block", "02_block", "03_block", "04_head"]
    found = {
        "train/loss": dict(zip(ENDS, [1.5, 1.0, 0.6, 0.4], strict=True)),
        "train/loss_step": {0: 2.3, STEPS: 1.0},
        "train/acc": dict(zip(ENDS, [0.5, 0.6, 0.7, 0.8], strict=True)),
        "val/acc": dict(zip(ENDS, [0.5, 0.7, 0.65, 0.75], strict=True)),
        "grad_norm/total": [1.0] * ENDS[-1],
        "grad_flow/gain_per_layer": [0.8] * ENDS[-1],
        **{f"grad_rms/{layer}": [1e-3] * ENDS[-1] for layer in layers},
        **{f"dead_units/{layer}": dict.fromkeys([0, *ENDS], 0.1) for layer in [*layers[:3], "total"]},
        **{f"low_slope/{layer}": dict.fromkeys([0, *ENDS], 0.4) for layer in [*layers[:3], "total"]},
    }
    return found | {tag.replace("__", "/"): values for tag, values in more.items()}


def write(study, *, seed=0, activation="relu", blocks=3, **more):
    record = {
        key: more.pop(key)
        for key in ("state", "error", "cut_short_by", "metrics", "constant_loss", "sigmoid_like", "lr")
        if key in more
    }
    return write_run(study, activation=activation, blocks=blocks, seed=seed, curves=curves(**more), **record)


def found(study, **options):
    """Rule name -> its findings."""
    by_rule = {}
    for finding in advise(study, study_runs(study), **options).findings:
        by_rule.setdefault(finding.rule.name, []).append(finding)
    return by_rule


def only(study, rule):
    """The one finding of a study, which is of this rule."""
    findings = found(study)
    assert list(findings) == [rule]
    (finding,) = findings[rule]
    return finding


def epochs(*means):
    """A curve of every step with these means over the epochs, not the same at every step."""
    return [mean * (1.5 if step % 2 else 0.5) for mean in means for step in range(STEPS)]


def test_a_healthy_network_has_no_finding(tmp_path):
    write(tmp_path)
    advice = advise(tmp_path, study_runs(tmp_path))
    assert (advice.findings, advice.not_judged) == ((), ())
    assert (advice.runs, advice.configurations, advice.unfinished) == (1, 1, ())


def test_vanishing_names_layer_epoch_and_how_many_seeds(tmp_path):
    write(tmp_path, seed=0, grad_rms__01_block=epochs(1e-3, 2.0e-7, 1e-3, 5e-7))
    write(tmp_path, seed=1, grad_rms__01_block=epochs(8e-7, 1e-3, 1e-3, 1e-3))
    write(tmp_path, seed=2)
    finding = only(tmp_path, "vanishing gradient")
    assert (finding.where, finding.holds, finding.judged) == ("relu, blocks=3", 2, 3)
    assert finding.evidence == (
        "01_block gets 2.0e-04 of the largest layer's gradient (rms) in epoch 2, the smallest hidden layer 5.0e-04 in "
        "the last; each layer passes on 0.8 of it, on average over training (the worst seed; the mildest of the 2: "
        "8.0e-04)"
    )


@pytest.mark.parametrize(("ratio", "holds"), [(0.99e-3, True), (1.01e-3, False)])
def test_vanishing_is_the_ratio_of_the_warning(tmp_path, ratio, holds):
    write(tmp_path, grad_rms__02_block=epochs(1, 1, ratio, 1), grad_rms__03_block=epochs(1, 1, 1, 1),
          grad_rms__01_block=epochs(1, 1, 1, 1), grad_rms__04_head=epochs(1, 1, 1, 1))  # fmt: skip
    assert ("vanishing gradient" in found(tmp_path)) == holds
    assert health.VANISHING_RATIO == 1e-3


def test_a_small_gradient_of_the_head_is_no_vanishing(tmp_path):
    write(tmp_path, grad_rms__04_head=epochs(1e-9, 1e-9, 1e-9, 1e-9))
    assert found(tmp_path) == {}


def test_gradients_that_are_all_zero_have_vanished(tmp_path):
    zero = {f"grad_rms__{layer}": epochs(0, 0, 0, 0) for layer in ("01_block", "02_block", "03_block", "04_head")}
    write(tmp_path, **zero)
    assert only(tmp_path, "vanishing gradient").evidence.startswith("01_block gets 0.0e+00 ")


@pytest.mark.parametrize(("norm", "holds"), [(1001.0, True), (999.0, False)])
def test_exploding_is_the_mean_over_an_epoch(tmp_path, norm, holds):
    write(tmp_path, grad_norm__total=epochs(1, 1, norm, 1), lr=0.5)
    findings = found(tmp_path)
    assert list(findings) == (["exploding gradient"] if holds else [])
    if holds:
        (finding,) = findings["exploding gradient"]
        assert finding.evidence == "grad_norm/total averages 1.0e+03 over epoch 3, at lr = 0.5"


@pytest.mark.parametrize(("last", "fitted", "holds"), [(0.52, 0.8, True), (0.56, 0.8, False), (0.52, 0.69, False)])
def test_running_averages_lag_where_evaluation_falls_and_training_does_not(tmp_path, last, fitted, holds):
    scores, fit = ([0.5, 0.7, 0.65, last], [0.5, 0.6, 0.7, fitted])
    both = {"val__acc": dict(zip(ENDS, scores, strict=True)), "train__acc": dict(zip(ENDS, fit, strict=True))}
    normalise(write(tmp_path, **both, lr=0.1), "batch")
    findings = found(tmp_path)
    assert list(findings) == (["lagging running averages"] if holds else [])
    if holds:
        (finding,) = findings["lagging running averages"]
        assert finding.evidence == (
            "the validation accuracy falls from 65 % to 52 % in epoch 4, while that of training, by each batch's own "
            "statistics, reaches 80 %; validation ends at 52 %, at lr = 0.1"
        )
        assert finding.remedies == ("batch_norm=recomputed", "schedule=cosine", "a lower optimizer.lr")


@pytest.mark.parametrize(("recomputed", "holds"), [(0.61, True), (0.59, False)])
def test_running_averages_lag_behind_recomputed_statistics(tmp_path, recomputed, holds):
    metrics = {"test/acc": 0.5, "test/acc_recomputed_bn": recomputed}
    normalise(write(tmp_path, metrics=metrics, lr=0.1), "batch")
    findings = found(tmp_path)
    assert list(findings) == (["lagging running averages"] if holds else [])
    if holds:
        (finding,) = findings["lagging running averages"]
        assert finding.evidence == (
            "the network of the last epoch has a test accuracy of 50 % by its running averages and 61 % with "
            "statistics recomputed for its final weights, at lr = 0.1"
        )


def test_lagging_running_averages_show_both_signs_and_are_ordered_by_the_larger(tmp_path):
    falls = dict(zip(ENDS, [0.5, 0.7, 0.3, 0.6], strict=True))
    for seed, recomputed in enumerate([0.95, 0.65]):
        folder = write(
            tmp_path, seed=seed, val__acc=falls, metrics={"test/acc": 0.5, "test/acc_recomputed_bn": recomputed}
        )
        normalise(folder, "batch")
    finding = only(tmp_path, "lagging running averages")
    assert (finding.holds, finding.judged, finding.badness) == (2, 2, pytest.approx(0.45))
    gap, fall = finding.evidence.split("; ", 1)
    assert "50 % by its running averages and 95 %" in gap
    assert fall.startswith("the validation accuracy falls from 70 % to 30 % in epoch 3")
    assert finding.evidence.endswith("(the worst seed; the mildest of the 2: 40 points)")


def normalise(folder, norm, *, batch_norm="running"):
    """Give a run a configuration with this normalisation and a constant rate."""
    (folder / ".hydra").mkdir()
    (folder / ".hydra" / "config.yaml").write_text(
        yaml.safe_dump({"model": {"norm": norm}, "batch_norm": batch_norm, "schedule": {"name": "none"}})
    )


def test_where_evaluation_recomputes_only_the_running_averages_own_score_shows_their_lag(tmp_path):
    falls = dict(zip(ENDS, [0.5, 0.7, 0.3, 0.6], strict=True))  # owes nothing to running averages
    folder = write(tmp_path, val__acc=falls, metrics={"test/acc": 0.95, "test/acc_running_bn": 0.5})
    normalise(folder, "batch", batch_norm="recomputed")
    finding = only(tmp_path, "lagging running averages")
    assert finding.evidence.startswith(
        "the network of the last epoch has a test accuracy of 50 % by its running averages and 95 % with statistics"
    )
    assert "validation" not in finding.evidence
    assert finding.remedies == ("schedule=cosine", "a lower optimizer.lr")


def test_a_score_that_falls_by_recomputed_statistics_is_no_lag(tmp_path):
    falls = dict(zip(ENDS, [0.5, 0.7, 0.3, 0.6], strict=True))
    metrics = {"test/acc": 0.61, "test/acc_running_bn": 0.6}
    normalise(write(tmp_path, val__acc=falls, metrics=metrics), "batch", batch_norm="recomputed")
    assert found(tmp_path) == {}


@pytest.mark.parametrize(("norm", "holds"), [("batch", True), ("group", False), (None, False)])
def test_only_batch_normalisation_has_running_averages(tmp_path, norm, holds):
    falls = dict(zip(ENDS, [0.5, 0.7, 0.2, 0.75], strict=True))
    write(tmp_path / "unknown", val__acc=falls)
    assert found(tmp_path / "unknown") == {}
    normalise(write(tmp_path, val__acc=falls), norm)
    assert ("lagging running averages" in found(tmp_path)) == holds


def test_regression_has_no_accuracy_that_lags(tmp_path):
    normalise(write(tmp_path, val__r2=dict.fromkeys(ENDS, 0.5), val__acc={}, train__acc={}), "batch")
    advice = advise(tmp_path, study_runs(tmp_path))
    assert (advice.findings, advice.not_judged) == ((), ())


@pytest.mark.parametrize(("share", "holds"), [(0.2, False), (0.21, True)])
def test_dead_units_of_one_layer_after_one_epoch(tmp_path, share, holds):
    write(tmp_path, dead_units__02_block=dict(zip([0, *ENDS], [0.05, 0.1, share, 0.15, 0.1], strict=True)))
    findings = found(tmp_path)
    assert list(findings) == (["dead units"] if holds else [])
    if holds:
        (finding,) = findings["dead units"]
        assert finding.evidence == (
            "21 % of the units of 02_block are dead after epoch 2 (5 % before the first update), at lr = 0.001"
        )


def test_units_that_are_dead_before_the_first_update_only_do_not_count(tmp_path):
    write(tmp_path, dead_units__01_block={0: 0.9} | dict.fromkeys(ENDS, 0.0))
    assert found(tmp_path) == {}


@pytest.mark.parametrize(
    ("activation", "share", "known", "holds"),
    [
        ("tanh", 0.51, None, True),
        ("tanh", 0.49, None, False),
        ("relu", 0.9, None, False),
        ("swoosh", 0.9, None, False),
        ("swoosh", 0.51, True, True),
        ("sigmoid", 0.9, False, False),
    ],
)
def test_low_slopes_are_saturation_of_sigmoid_like_functions_only(tmp_path, activation, share, known, holds):
    low_slope = {0: 0.0} | dict.fromkeys(ENDS, share)
    write(tmp_path, activation=activation, low_slope__03_block=low_slope, sigmoid_like=known)
    findings = found(tmp_path)
    assert list(findings) == (["saturated"] if holds else [])
    if holds:
        assert findings["saturated"][0].evidence.startswith("51 % of the entries of 03_block are in a flat part after")


def test_the_list_of_sigmoid_like_functions_is_that_of_their_facts(compose):
    options = [file.stem for file in (CONF / "activation").glob("*.yaml") if file.stem != "custom"]
    alike = [
        option
        for option in options
        if activations.facts(
            instantiate({k: v for k, v in compose(f"activation={option}").activation.items() if k != "name"})
        ).sigmoid_like
    ]
    assert sorted(alike) == sorted(SIGMOID_LIKE)


# With ten equal classes the best constant prediction has a loss of ln 10 = 2.303, 90 % of which are 2.072.
@pytest.mark.parametrize(
    ("losses", "rule"),
    [
        ([2.3, 2.08, 1.0, 0.5], "slow start"),  # the first epoch that ends after 100 updates is the second
        ([2.3, 2.06, 1.0, 0.5], None),
        ([2.3, 2.29, 2.2, 2.08], "hardly learned"),
        ([2.3, 2.29, 2.2, 2.06], "slow start"),
        ([2.3, 1.0, 1.0, 2.08], "hardly learned"),
    ],
)
def test_learning_is_measured_against_the_best_constant_prediction(tmp_path, losses, rule):
    write(tmp_path, train__loss=dict(zip(ENDS, losses, strict=True)), constant_loss=math.log(10))
    assert list(found(tmp_path)) == ([rule] if rule else [])


def test_a_slow_start_says_when_it_ended(tmp_path):
    write(tmp_path, train__loss=dict(zip(ENDS, [2.3, 2.25, 2.2, 0.5], strict=True)), constant_loss=math.log(10))
    assert only(tmp_path, "slow start").evidence == (
        "the mean training loss of epoch 2 (up to update 100) is 2.25, 97.7 % of 2.303, the loss of the best constant "
        "prediction; under 90 % from epoch 4 of 4, at lr = 0.001"
    )


def test_without_the_constant_loss_the_first_batch_stands_for_it(tmp_path):
    write(tmp_path, train__loss=dict.fromkeys(ENDS, 2.2), train__loss_step={0: 2.4, 1: 2.2}, constant_loss=None)
    assert only(tmp_path, "hardly learned").evidence == (
        "the mean training loss of epoch 4, the last, is 2.2, 91.7 % of 2.4, the loss of the first batch, at lr = 0.001"
    )


def test_a_loss_that_has_grown_is_shown_in_full(tmp_path):
    write(tmp_path, train__loss=dict.fromkeys(ENDS, 46.0), constant_loss=2.3)
    assert "is 46, 2,000 % of 2.3, the loss of the best constant" in only(tmp_path, "hardly learned").evidence


def test_a_run_of_few_updates_is_not_judged_to_be_slow(tmp_path):
    write(tmp_path, train__loss={10: 2.3, 99: 2.3}, constant_loss=math.log(10))
    advice = advise(tmp_path, study_runs(tmp_path))
    assert advice.findings == ()
    assert set(advice.not_judged) == {
        ("hardly learned", "fewer than 100 updates", 1),
        ("slow start", "fewer than 100 updates", 1),
    }


@pytest.mark.parametrize(("gains", "holds"), [((0.501, 0.501), False), ((0.49, 0.49), True), ((0.1, 2.0), True)])
def test_fading_is_a_gradient_that_halves_at_each_layer(tmp_path, gains, holds):
    write(tmp_path, grad_flow__gain_per_layer=[*gains] * (ENDS[-1] // 2))
    findings = found(tmp_path)
    assert list(findings) == (["fading gradient"] if holds else [])
    if holds:  # 0.49^(L - 1) and, with the geometric mean of 0.1 and 2, 0.447^(L - 1): under 0.001 for
        gain, layers = {0.49: ("0.49", 11), 0.1: ("0.45", 10)}[gains[0]]
        assert findings["fading gradient"][0].evidence == (
            f"each layer passes on {gain} of the gradient, on average over training; at that rate it vanishes with "
            f"{layers} layers or more"
        )


def test_what_has_vanished_does_not_fade_as_well(tmp_path):
    gone = epochs(1e-7, 1e-7, 1e-7, 1e-7)
    write(tmp_path, grad_flow__gain_per_layer=[0.01] * ENDS[-1], grad_rms__01_block=gone)
    assert only(tmp_path, "vanishing gradient").holds == 1


def test_a_diverged_run_comes_first_with_its_error_and_rate(tmp_path):
    error = error_entry(Diverged("the loss is not finite at step 60"))
    short = dict(zip(ENDS[:1], [1.0], strict=True))
    grown = [1.0] * STEPS + [1e6] * 10  # ten updates of the second epoch, which was not completed
    write(tmp_path, state="diverged", error=error, lr=10.0, train__loss=short, grad_norm__total=grown)
    findings = advise(tmp_path, study_runs(tmp_path)).findings
    assert [finding.rule.name for finding in findings] == ["diverged", "exploding gradient"]
    assert findings[0].evidence == "the loss is not finite at step 60, at lr = 10"
    assert findings[1].evidence == "grad_norm/total averages 1.0e+06 over epoch 2, at lr = 10"


@pytest.mark.parametrize("state", ["planned", "running", "interrupted", "failed"])
def test_only_runs_that_have_ended_are_judged(tmp_path, state):
    write(tmp_path, state=state, grad_norm__total=epochs(1e9, 1e9, 1e9, 1e9))
    advice = advise(tmp_path, study_runs(tmp_path))
    assert (advice.findings, advice.runs, advice.unfinished) == ((), 0, (("not finished yet", 1),))


def test_a_run_that_was_cut_short_is_not_judged_and_the_reason_is_given(tmp_path):
    cut = "trainer.limit_train_batches=2"
    write(tmp_path, state="cut_short", cut_short_by=cut, grad_norm__total=epochs(1e9, 1e9, 1e9, 1e9))
    advice = advise(tmp_path, study_runs(tmp_path))
    assert (advice.findings, advice.runs, advice.unfinished) == ((), 0, ((f"cut_short by {cut}", 1),))


def test_what_was_not_measured_is_not_judged_and_listed(tmp_path):
    normalise(write_run(tmp_path, curves={"train/loss": {200: 0.5}}, constant_loss=2.3), "batch")
    not_judged = {rule: why for rule, why, _ in advise(tmp_path, study_runs(tmp_path)).not_judged}
    assert not_judged == {
        "exploding gradient": "grad_norm/total was not recorded",
        "vanishing gradient": "grad_rms was not recorded",
        "fading gradient": "grad_rms was not recorded",
        "dead units": "dead_units was not recorded",
        "lagging running averages": (
            "neither test/acc_running_bn nor test/acc_recomputed_bn, nor val/acc and train/acc were recorded"
        ),
    }


def scores(study, values, *, activation, blocks=3):
    for seed, value in enumerate(values):
        write(study, activation=activation, blocks=blocks, seed=seed, metrics={"test/acc_at_best": value})


def test_a_worse_activation_needs_enough_seeds(tmp_path):
    relu = [0.95, 0.94, 0.96, 0.95, 0.93, 0.95]
    scores(tmp_path, relu, activation="relu")
    scores(tmp_path, [0.85, 0.83, 0.87, 0.85, 0.81, 0.87], activation="sigmoid")
    finding = only(tmp_path, "worse activation")  # one comparison: 2 / 2^6 = 0.03
    assert (finding.where, finding.holds, finding.judged) == ("sigmoid, blocks=3", 6, 6)
    assert finding.remedies == ("activation=relu there",)
    assert finding.evidence.startswith("ReLU scores higher than sigmoid at 3 blocks: shown (by 0.1")
    assert finding.evidence.endswith("untuned; by test accuracy at the best epoch")


def test_depths_at_which_an_activation_is_worse_are_one_finding(tmp_path):
    for blocks, behind in ((2, 0.1), (4, 0.3)):
        scores(tmp_path, [0.95, 0.94, 0.96, 0.95, 0.93, 0.95, 0.96], activation="relu", blocks=blocks)
        scores(tmp_path, [0.95 - behind - seed / 1000 for seed in range(7)], activation="sigmoid", blocks=blocks)
    finding = only(tmp_path, "worse activation")
    assert (finding.where, finding.holds, finding.judged) == ("sigmoid, blocks=2, 4", 14, 14)
    assert finding.evidence.startswith("blocks=4: ReLU scores higher than sigmoid at 4 blocks: shown (by 0.30")
    assert "; by test accuracy at the best epoch (the worst; the mildest, blocks=2: by 0.10" in finding.evidence


def test_a_baseline_may_be_the_worse_one(tmp_path):
    gelu = [0.95, 0.94, 0.96, 0.95, 0.93, 0.95]
    scores(tmp_path, [one - 0.1 for one in gelu], activation="relu")
    scores(tmp_path, gelu, activation="gelu")
    finding = only(tmp_path, "worse activation")
    assert (finding.where, finding.remedies) == ("relu, blocks=3", ("activation=gelu there",))


def test_with_too_few_seeds_a_difference_may_be_suggested(tmp_path):
    scores(tmp_path, [0.9, 0.92, 0.91], activation="relu")
    scores(tmp_path, [0.8, 0.81, 0.82], activation="sigmoid")  # differences -0.10, -0.11, -0.09
    finding = only(tmp_path, "perhaps a worse activation")
    assert (finding.where, finding.holds, finding.judged) == ("sigmoid, blocks=3", 3, 3)
    assert finding.evidence.startswith(  # 4.303 * 0.01 / sqrt(3) = 0.0248
        "ReLU scores higher than sigmoid at 3 blocks: suggested (by 0.100 [0.075, 0.125] on average over 3 seeds; "
        "paired t test p = 0.0033, Holm 0.0033, which assumes roughly normal differences)"
    )
    place = f"output_dir={tmp_path.parent}"
    assert finding.remedies == (f"{interpreter()} train.py -m activation=relu,sigmoid blocks=3 {place} seed=3,4,5",)


def test_a_hint_is_corrected_over_all_comparisons_as_a_claim_is(tmp_path):
    """The interval of one comparison excludes zero, which one in five does often enough by chance."""
    for blocks, hints in ((1, 1), (2, 0)):
        scores(tmp_path, [0.9, 0.92, 0.91], activation="relu", blocks=blocks)
        scores(tmp_path, [0.8, 0.87, 0.82], activation="sigmoid", blocks=blocks)  # t = 5.2, p = 0.035
        assert len(found(tmp_path)) == hints


@pytest.mark.parametrize("values", [[0.8, 0.95, 0.82], [0.9, 0.92, 0.91], [0.8]])
def test_without_a_clear_difference_there_is_no_hint(tmp_path, values):
    scores(tmp_path, [0.9, 0.92, 0.91][: len(values)], activation="relu")
    scores(tmp_path, values, activation="sigmoid")
    assert found(tmp_path) == {}


def test_of_losses_the_lower_one_is_better(tmp_path):
    for activation, values in {"relu": [1.0, 1.1, 1.2], "tanh": [0.5, 0.61, 0.7]}.items():
        for seed, value in enumerate(values):
            write(tmp_path, activation=activation, seed=seed, metrics={"test/loss": value, "test/acc_at_best": 0.5})
    (finding,) = found(tmp_path, metric="test/loss")["perhaps a worse activation"]
    assert finding.where == "relu, blocks=3"


def test_remedies_leave_out_what_the_configuration_has_and_what_its_model_lacks(tmp_path):
    folder = write(tmp_path, grad_norm__total=epochs(1e4, 1, 1, 1), dead_units__01_block=dict.fromkeys(ENDS, 0.5))
    config = {
        "activation": {"name": "relu"},
        "init": {"name": "he"},
        "model": {"norm": "batch"},
        "optimizer": {"lr": 0.1},
        "trainer": {"gradient_clip_val": None},
    }
    (folder / ".hydra").mkdir()
    (folder / ".hydra" / "config.yaml").write_text(yaml.safe_dump(config))
    findings = found(tmp_path)
    assert findings["exploding gradient"][0].remedies == ("a lower optimizer.lr", "trainer.gradient_clip_val=1")
    assert findings["dead units"][0].remedies == ("activation=leaky_relu", "a lower optimizer.lr")


def test_a_module_that_takes_no_optimizer_is_not_told_to_change_it(tmp_path):
    """module=custom empties the groups that the module does not take."""
    folder = write(tmp_path, grad_norm__total=epochs(1e4, 1, 1, 1), dead_units__01_block=dict.fromkeys(ENDS, 0.5))
    config = {"activation": {"name": "relu"}, "init": {}, "model": {}, "optimizer": {}, "trainer": {"max_epochs": 4}}
    (folder / ".hydra").mkdir()
    (folder / ".hydra" / "config.yaml").write_text(yaml.safe_dump(config))
    assert found(tmp_path)["dead units"][0].remedies == ("activation=leaky_relu",)


def test_thresholds_are_those_of_the_warnings():
    limits = yaml.safe_load((Path(CONF) / "callbacks" / "health_warnings.yaml").read_text())["health_warnings"]
    assert limits == {
        "_target_": "gradflow.callbacks.health_warnings.HealthWarnings",
        "vanishing_ratio": health.VANISHING_RATIO,
        "exploding_norm": health.EXPLODING_NORM,
        "dead_fraction": health.DEAD_FRACTION,
    }


def test_every_rule_says_what_it_rests_on():
    assert len({rule.name for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule.condition
        assert rule.source
        assert rule.remedies
