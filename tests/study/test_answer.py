"""Question and answer of made-up studies, by hand."""

from forged_runs import run_record, scored_run, scored_runs

from gradflow.study.answer import answer
from gradflow.study.treatments import with_treatments

DEPTHS = {1: 0.96, 4: 0.8, 8: 0.63}


def sweep(scores, seeds=1, **more):
    """`scores[activation][blocks]`, the same for every seed."""
    return [
        scored_run(activation, value, blocks=blocks, seed=seed, **more)
        for activation, by_depth in scores.items()
        for blocks, value in by_depth.items()
        for seed in range(seeds)
    ]


def normalised(norm, scores):
    return sweep(scores, axes={"model.norm": norm}, overrides=[f"model.norm={norm}"])


def test_two_activations_at_several_depths():
    found = answer(sweep({"relu": {1: 0.98, 4: 0.985, 8: 0.99}, "sigmoid": DEPTHS}, seeds=3))
    assert found.question == "Does the activation matter as the network gets deeper?"
    assert found.sentences == ("ReLU stays at 98 to 99 % at every depth; sigmoid falls from 96 to 63 %.",)
    assert found.measured == "test accuracy at the best epoch, mean of 3 seeds, 1 to 8 blocks"


def test_each_setting_has_its_sentence_and_what_all_share_is_said_once():
    bare = normalised("none", {"relu": {1: 0.95, 8: 0.96}, "sigmoid": {1: 0.87, 8: 0.19}})
    batch = normalised("batch", {"relu": {1: 0.97, 8: 0.98}, "sigmoid": {1: 0.975, 8: 0.965}})
    found = answer([*bare, *batch])
    assert found.question == "Does the activation matter as the network gets deeper, with and without normalisation?"
    assert sorted(found.sentences) == [
        "With batch normalisation, ReLU and sigmoid stay at 96 to 98 % at every depth.",
        "Without normalisation, ReLU stays at 95 to 96 % at every depth; sigmoid falls from 87 to 19 %.",
    ]
    assert found.measured.endswith("in one run each, 1 to 8 blocks")


def test_settings_that_nothing_spells_out_are_the_default_ones():
    records = sweep({"relu": {4: 0.9}}) + sweep({"relu": {4: 0.5}}, axes={"optimizer.lr": 0.1})
    assert answer(records).sentences == (
        "With the default learning rate, ReLU reaches 90 %.",
        "With learning rate 0.1, ReLU reaches 50 %.",
    )
    records = sweep({"relu": {4: 0.9}}) + sweep({"relu": {4: 0.5}}, axes={"model.residual": True})
    assert answer(records).sentences == (
        "Without residual connections, ReLU reaches 90 %.",
        "With residual connections, ReLU reaches 50 %.",
    )


def test_of_many_activations_the_best_the_worst_and_the_range_are_said():
    scores = {"relu": 0.97, "gelu": 0.975, "tanh": 0.9, "sigmoid": 0.12, "elu": 0.96}
    deep = sweep({name: {1: 0.94 + 0.01 * (name == "elu"), 8: value} for name, value in scores.items()})
    assert answer(deep).sentences == (
        "Of 5 activations, GELU is best at 8 blocks (98 %) and sigmoid worst (12 %); at 1 block all reach 94 to 95 %.",
    )


def test_of_many_that_are_alike_none_is_best():
    names = ("relu", "gelu", "tanh", "elu", "selu")
    alike = sweep({name: {1: 0.95, 8: 0.98 - 0.001 * rank} for rank, name in enumerate(names)})
    assert answer(alike).sentences == ("All 5 activations reach 98 % at 8 blocks; at 1 block all reach 95 %.",)


def test_diverged_runs_are_named_among_many_settings_too():
    rates = {0.1: 0.5, 0.2: 0.6, 0.3: 0.7, 0.4: 0.8, 0.5: 0.2}
    records = [scored_run("relu", value, axes={"optimizer.lr": lr}) for lr, value in rates.items()]
    records.append(run_record("relu", blocks=4, seed=1, state="diverged", axes={"optimizer.lr": 0.5}))
    assert answer(records).sentences[0].endswith(" (runs diverged with learning rate 0.5).")


def test_what_has_not_reached_every_depth_says_which_it_has():
    records = sweep({"relu": {1: 0.98, 2: 0.985}, "sigmoid": DEPTHS})
    assert answer(records).sentences == (
        "ReLU stays at 98 % (1 and 2 blocks); sigmoid falls from 96 to 63 % (1, 4 and 8 blocks).",
    )
    whole = sweep({"relu": {1: 0.98, 4: 0.985}, "sigmoid": {1: 0.98, 4: 0.98}})
    deeper = run_record("sigmoid", blocks=8, state="diverged")
    assert answer(whole).sentences == ("ReLU and sigmoid stay at 98 % at every depth.",)
    assert answer([*whole, deeper]).sentences == (
        "ReLU stays at 98 % (1 and 4 blocks); sigmoid stays at 98 % (1 and 4 blocks; 1 of 3 runs diverged).",
    )


def test_of_many_settings_too():
    rates = {0.1: 0.5, 0.2: 0.6, 0.3: 0.7, 0.4: 0.8, 0.5: 0.2}
    records = [scored_run("relu", value, blocks=None, axes={"optimizer.lr": lr}) for lr, value in rates.items()]
    assert answer(records).sentences == (
        "Of 5 configurations, learning rate 0.4 is best (80 %) and learning rate 0.5 worst (20 %).",
    )


def test_a_module_without_activations_is_asked_about_its_own_arguments():
    records = [
        scored_run("x", value, blocks=None)
        | {"axes": {"module": "Lit", "module.hidden": hidden}, "config": f"{hidden}"}
        for hidden, value in ((8, 0.7), (16, 0.8))
    ]
    found = answer(with_treatments(records))
    assert found.question == "Does the hidden matter?"
    assert found.sentences == ("Hidden 8 reaches 70 %; hidden 16 reaches 80 %.",)


def test_diverged_runs_are_named_and_averaged_nowhere():
    records = scored_runs("relu", [0.9, 0.9], blocks=4)
    records += [scored_run("sigmoid", 0.5, blocks=4, seed=0), run_record("sigmoid", blocks=4, seed=1, state="diverged")]
    assert answer(records).sentences == ("ReLU reaches 90 %; sigmoid reaches 50 % (1 of 2 runs diverged).",)
    assert answer(records[3:]).sentences == ("Every run that has ended diverged.",)
    only = [*records[:2], *records[3:]]
    assert answer(only).sentences[0].endswith("sigmoid has no result (1 of 1 run diverged).")


def test_before_anything_has_finished_there_is_no_answer():
    found = answer([run_record(state="planned")])
    assert found.sentences == ("No run has finished yet.",)


def test_a_metric_that_is_no_accuracy_is_named_in_the_answer():
    records = [run_record("relu", headline="test/loss_at_best", metrics={"test/loss_at_best": 0.3124})]
    assert answer(records).measured == "test loss at the best epoch (nats), in one run"
    assert answer(records).sentences == (
        "By test loss at the best epoch, of which less is better: ReLU reaches 0.312.",
    )
    records = [run_record("relu", headline="val/acc_best", metrics={"val/acc_best": 0.5})]
    assert answer(records).sentences == ("ReLU reaches 50 %.",)
