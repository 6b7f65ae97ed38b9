"""The verdict on a whole study, and the seeds that would settle it, on made-up studies."""

import itertools
import shlex
import sys
from pathlib import Path

import pytest
from forged_runs import scored_run, scored_runs
from hydra.core.override_parser.overrides_parser import OverridesParser

from gradflow.invocation import interpreter
from gradflow.study.comparison.compare import compare
from gradflow.study.comparison.more_seeds import more_seeds
from gradflow.study.comparison.overall import in_short, overall
from gradflow.study.comparison.tuning import tune

STUDY = Path("outputs/study")
RELU = [0.95, 0.94, 0.96, 0.95, 0.93, 0.95, 0.97, 0.95]
LESS = [0.04, 0.02, 0.03, 0.03, 0.02, 0.04, 0.03, 0.03]
NONE = [0.01, -0.01] * 4


def pair(differences, *, blocks=4, other="sigmoid", axes=None, **more):
    """Runs of relu and of another activation, which is this much worse seed by seed."""
    relu = RELU[: len(differences)]
    worse = [r - d for r, d in zip(relu, differences, strict=True)]
    return [
        scored_run(name, value, seed=seed, blocks=blocks, axes=axes, **more)
        for name, values in (("relu", relu), (other, worse))
        for seed, value in enumerate(values)
    ]


def plain(records, **options):
    return overall(compare(records, **options)).plain


def test_one_comparison_is_one_plain_sentence():
    assert plain(pair(LESS)) == ["ReLU scores higher than sigmoid at 4 blocks: shown."]
    assert plain(pair(LESS[:5])) == ["ReLU scores higher than sigmoid at 4 blocks: suggested."]
    assert plain(pair(LESS[:2])) == [
        "It is open at 4 blocks whether ReLU or sigmoid scores higher: too few seeds (2 of the 6 needed)."
    ]
    assert plain(pair(LESS, blocks=None)) == ["ReLU scores higher than sigmoid: shown."]


def test_strengths_are_counted_by_depth():
    at_five = [run for blocks in (1, 2, 4, 6, 8) for run in pair(LESS, blocks=blocks)]
    assert plain(at_five) == ["ReLU scores higher than sigmoid at every depth: shown at all 5."]
    # Two depths lack their last seeds: 2 / 2^5 is too much for two comparisons.
    some = [run for run in at_five if not (run["blocks"] > 4 and run["seed"] >= 5)]
    assert plain(some) == ["ReLU scores higher than sigmoid at every depth: shown at 3 of 5 depths, suggested at 2."]


def test_both_directions_and_what_is_open_are_named():
    records = [
        *pair(LESS, blocks=1),
        *pair([-d for d in LESS], blocks=2),
        *pair(NONE, blocks=4),
        *pair(LESS[:2], blocks=6),
    ]
    assert plain(records) == [
        "ReLU scores higher than sigmoid at 1 of 4 depths (shown), sigmoid scores higher than ReLU at 1 of 4 depths "
        "(shown); it is open at the other 2: no difference shown at 1; too few seeds (2 of the 8 needed) at 1."
    ]


def test_an_open_study_says_so_and_what_was_observed():
    verdict = overall(compare([run for blocks in (1, 2) for run in pair(LESS[:2], blocks=blocks)]))
    assert verdict.plain == [
        "It is open at every depth whether ReLU or sigmoid scores higher: too few seeds (2 of the 7 needed)."
    ]
    assert verdict.details[0].endswith("on average over 2 seeds, which shows nothing yet.")


def test_every_activation_has_its_sentence():
    records = pair(LESS) + [run for run in pair(NONE, other="tanh") if run["activation"] == "tanh"]
    assert plain(records) == [
        "ReLU scores higher than sigmoid at 4 blocks: shown.",
        "It is open at 4 blocks whether ReLU or tanh scores higher: no difference shown.",
    ]


def test_comparisons_that_differ_in_more_than_depth_are_not_counted_as_depths():
    records = pair(LESS) + pair(LESS, axes={"optimizer.lr": 0.01})
    assert plain(records) == ["ReLU scores higher than sigmoid in every comparison: shown in both."]


def test_losses_and_gradients_have_words_of_their_own():
    def runs(metric, factor):
        return [
            scored_run(name, seed=seed, metrics={metric: value * (1 + 0.01 * seed)})
            for name, value in (("relu", 1.0), ("sigmoid", factor))
            for seed in range(8)
        ]

    loss, gradient = "test/loss_at_best", "grad_norm/total"
    verdict = overall(compare(runs(loss, 2.0), metric=loss))
    assert verdict.plain == ["ReLU has a lower test loss at the best epoch than sigmoid at 4 blocks: shown."]
    assert verdict.details[0].startswith("The largest difference: ReLU over sigmoid at 4 blocks, by 1.0")
    verdict = overall(compare(runs(gradient, 1e-3), metric=gradient))
    assert verdict.plain == ["ReLU has a higher gradient norm than sigmoid at 4 blocks: shown."]
    assert verdict.details[0] == (
        "The largest difference: ReLU above sigmoid at 4 blocks, by a factor of 1e+03 in each of 8 seeds."
    )


def test_every_family_has_its_sentence_and_its_number_of_comparisons():
    batch = [run for blocks in (1, 2) for run in pair(LESS, blocks=blocks, overrides=["model.norm=batch"])]
    none = pair(NONE, blocks=1, axes={"model.norm": "none"})
    verdict = overall(compare(batch + none))
    assert verdict.plain == [
        "With batch normalisation, ReLU scores higher than sigmoid at every depth: shown at both.",
        "Without normalisation, it is open at 1 block whether ReLU or sigmoid scores higher: no difference shown.",
    ]
    assert verdict.details[-1] == (
        "By test accuracy at the best epoch, paired by seed, Holm-corrected over 2 and 1 comparisons, a family for "
        "each normalisation, at lr = 0.001, untuned."
    )


def test_families_of_one_size_are_named_once():
    runs = [run for norm in ("batch", "layer", "none") for run in pair(NONE, axes={"model.norm": norm})]
    assert "Holm-corrected over the 1 comparison of each normalisation, at lr" in overall(compare(runs)).details[-1]


def test_many_comparisons_in_short_have_their_strengths_and_one_pair_of_brackets_at_most():
    def runs(*differences):
        baseline, *_ = pairs = [pair(found, other=name) for name, found in zip("abc", differences, strict=True)]
        return baseline + [run for both in pairs[1:] for run in both if run["activation"] != "relu"]

    assert in_short(compare(runs(LESS, LESS, LESS))) == "A difference is shown in all 3 comparisons with ReLU."
    assert in_short(compare(runs(NONE[:2], NONE[:2], NONE[:2]))) == (
        "A difference is open in all 3 comparisons with ReLU: too few seeds (2 of the 7 needed)."
    )
    assert in_short(compare(runs(LESS, LESS, NONE))) == (
        "Of 3 comparisons with ReLU, a difference is shown in 2 and open in 1: no difference shown."
    )


def test_settings_are_in_order_of_size_and_a_default_that_the_commands_spell_out_is_named():
    rates = ({"optimizer.lr": 0.1}, {"optimizer.lr": 0.02}, {})
    runs = [run for axes in rates for run in pair(LESS, axes=axes, overrides=["blocks=4", "optimizer.lr=0.001"])]
    assert [str(c.group["optimizer.lr"]) for c in compare(runs)] == ["0.001", "0.02", "0.1"]


def test_the_basis_says_what_suggested_assumes_where_it_is_skewed_and_what_chose_the_epoch():
    assert overall(compare(pair(LESS))).details[-1] == (
        "By test accuracy at the best epoch, paired by seed, Holm-corrected over 1 comparison, at lr = 0.001, untuned."
    )
    basis = overall(compare(pair(LESS[:5], selected_on="test"))).details[-1]
    assert "By test accuracy at the best epoch, selected on test, paired" in basis
    assert "Suggested: by a paired t test, which assumes roughly normal differences." in basis
    assert "skewed" not in basis
    assert "In 1 of 1 comparisons the differences are skewed" in overall(compare(pair([*LESS[:7], 0.9]))).details[-1]


def test_nothing_to_compare():
    assert plain(scored_runs("relu", RELU)) == ["Nothing to compare: the study has only one activation."]


def grid(words):
    """The combinations of a command line, by Hydra's own grammar."""
    choices = [
        [
            f"{one.get_key_element()}={value}"
            for value in (one.sweep_string_iterator() if one.is_sweep_override() else [one.get_value_element_as_str()])
        ]
        for one in OverridesParser.create().parse_overrides(words)
    ]
    return [list(combination) for combination in itertools.product(*choices)]


def swept(*commands):
    """The runs that commands like `activation=relu,sigmoid seed=0,1` plan, relu ahead of the others."""
    found = []
    for command in commands:
        for overrides in grid(shlex.split(command)):
            values = dict(one.partition("=")[::2] for one in overrides)
            seed, name = int(values.get("seed", 0)), values["activation"]
            axes = {key: value for key, value in values.items() if key not in ("activation", "blocks", "seed", "study")}
            score = RELU[seed] - (0 if name == "relu" else LESS[seed])
            found.append(
                scored_run(name, score, seed=seed, blocks=int(values.get("blocks", 4)), axes=axes, overrides=overrides)
            )
    return found


def missing(records, *, study=STUDY):
    return more_seeds(records, compare(records), study=study)


def test_the_command_adds_the_seeds_that_are_missing_to_the_same_study():
    more = missing(swept("study=mine activation=sigmoid,relu blocks=1,2,4,6,8 seed=0,1,2"))
    assert more.command == (
        f"{interpreter()} train.py -m activation=sigmoid,relu blocks=1,2,4,6,8 study=mine seed=3,4,5,6,7"
    )
    assert more.text == "To settle what is open takes 8 seeds; the missing ones:"
    assert more.caution.startswith("Run them all before you look again: looking after every further seed raises the")


def test_the_text_says_whether_something_is_suggested_or_open():
    suggested = missing(swept("activation=sigmoid,relu blocks=4 seed=0,1,2,3"))
    assert suggested.text == "To show what is suggested takes 6 seeds; the missing ones:"


def test_the_command_plans_exactly_the_missing_seeds_of_the_same_configurations():
    records = swept("'data.path=\"a b.npz\"' activation=sigmoid,relu width=[64,32],8 +model.note=x seed=0,1")
    words = shlex.split(missing(records).command)
    assert words[:3] == [interpreter(), "train.py", "-m"]
    planned = grid(words[3:])
    seeds = {override.partition("=")[2] for run in planned for override in run if override.startswith("seed=")}
    configurations = {frozenset(one for one in run if not one.startswith("seed=")) for run in planned}
    assert seeds == {"2", "3", "4", "5", "6"}  # two comparisons need seven
    assert configurations == {
        frozenset(one for one in record["overrides"] if not one.startswith("seed=")) for record in records
    }


def test_the_order_of_commands_and_of_keys_does_not_matter():
    records = swept("activation=sigmoid,relu blocks=4 seed=0,1", "blocks=4 seed=2 activation=relu,sigmoid")
    assert missing(records).command == f"{interpreter()} train.py -m activation=sigmoid,relu blocks=4 seed=3,4,5"


def test_what_is_swept_comes_first_in_the_command_and_the_seeds_last():
    records = swept("trainer=cpu activation=sigmoid,relu model=mlp blocks=1,2 seed=0,1")
    assert missing(records).command == (
        f"{interpreter()} train.py -m activation=sigmoid,relu blocks=1,2 model=mlp trainer=cpu seed=2,3,4,5,6"
    )


def test_a_study_that_was_moved_gets_its_seeds_where_it_lies():
    records = swept("activation=sigmoid,relu blocks=4 output_dir=elsewhere seed=0,1")
    assert missing(records, study=Path("elsewhere/study")).command == (
        f"{interpreter()} train.py -m activation=sigmoid,relu blocks=4 output_dir=elsewhere seed=2,3,4,5"
    )
    assert missing(records, study=Path("/archive/study")).command == (
        f"{interpreter()} train.py -m activation=sigmoid,relu blocks=4 output_dir=/archive seed=2,3,4,5"
    )
    words = shlex.split(missing(records, study=Path("/my data/old, digits")).command)
    (run, *_) = grid(words[3:])
    assert {"output_dir='/my data'", "study='old, digits'"} < set(run)


def test_a_study_of_another_version_cannot_be_added_to():
    more = missing([record | {"identity": 1} for record in swept("activation=sigmoid,relu blocks=4 seed=0,1")])
    assert more.command == ""
    assert more.text == (
        "To settle what is open takes 6 seeds in every configuration of a new study, as this one is of another version "
        "of gradflow."
    )


def test_new_seeds_have_the_headline_that_the_study_has_now():
    records = swept("activation=sigmoid,relu blocks=4 headline=test/acc seed=0,1")
    for record in records:
        record["headline"] = "test/acc_at_best"  # by a later command without headline=
    assert "headline" not in missing(records).command
    for record in records:
        record["metrics"]["val/acc"] = record["metrics"]["test/acc_at_best"]
        record["headline"] = "val/acc"
    assert " headline=val/acc " in missing(records).command


def test_rerun_is_not_repeated():
    assert "rerun" not in missing(swept("activation=sigmoid,relu rerun=true seed=0,1,2")).command


def test_a_seed_that_has_failed_somewhere_is_trained_again():
    records = swept("activation=sigmoid,relu blocks=4 seed=0,1,2,3,4,5")
    next(record for record in records if record["seed"] == 2).update(state="failed", metrics={})
    assert missing(records).command.endswith(" seed=2")


def test_seeds_without_a_value_are_replaced_by_new_ones():
    records = swept("activation=sigmoid,relu blocks=4 seed=0,1,2,3,4,5")
    del records[0]["metrics"]["test/acc_at_best"]
    assert missing(records).command.endswith(" seed=6")


@pytest.mark.parametrize(
    "commands",
    [
        ["activation=sigmoid,relu blocks=1,2 seed=0,1", "activation=relu blocks=4 seed=0,1"],  # no full grid
        ["activation=sigmoid,relu blocks=4 seed=0,1", "activation=tanh seed=0,1"],  # other keys
    ],
)
def test_where_no_command_has_the_same_runs_the_number_of_seeds_is_said(commands):
    more = missing(swept(*commands))
    assert (more.command, more.text) == ("", "To settle what is open takes 7 seeds in every configuration.")


def test_a_tuned_study_is_told_the_number_of_seeds():
    records = [
        scored_run(
            name, 0.9 - less - 0.001 * seed, seed=seed, lr=lr, axes={"optimizer.lr": lr}, metrics={"val/acc_best": lr}
        )
        for name, less in (("relu", 0.0), ("sigmoid", 0.1))
        for lr in (0.01, 0.1)
        for seed in range(4)
    ]
    tuning = tune(records, tuning_seeds=[0, 1])
    more = more_seeds(records, compare(records, tuning=tuning), study=STUDY, tuned=True)
    assert (more.command, more.text) == (
        "",
        "To settle what is open takes 6 seeds in every configuration, besides those that tune it.",
    )


def test_seeds_are_not_what_is_missing():
    assert missing(pair(LESS)) is None
    assert missing(pair(NONE)) is None
    assert more_seeds(scored_runs("relu", RELU), [], study=STUDY) is None


@pytest.mark.parametrize(
    ("running", "typed"), [("/here/.venv/bin/python", ".venv/bin/python"), ("/usr/bin/python3", "python")]
)
def test_the_command_names_the_python_of_the_working_directory(monkeypatch, running, typed):
    monkeypatch.setattr(sys, "executable", running)
    monkeypatch.setattr(Path, "cwd", lambda: Path("/here"))
    assert interpreter() == typed


def test_the_command_for_more_seeds_has_numbers_in_order_of_size():
    records = [
        run
        for rate in ("0.1", "0.02", "1e-3")
        for run in pair(LESS[:2], axes={"optimizer.lr": float(rate)}, overrides=["blocks=4", f"optimizer.lr={rate}"])
    ]
    for run in records:
        run["overrides"].append(f"activation={run['activation']}")
    more = more_seeds(records, compare(records), study=STUDY)
    assert more is not None
    assert "optimizer.lr=1e-3,0.02,0.1" in more.command
