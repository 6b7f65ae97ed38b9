"""TensorBoard's Custom Scalars page: charts of one pair each, none without its data."""

from forged_runs import typical, write_run
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.custom_scalar import layout_pb2

from gradflow.runs.events import curves
from gradflow.study.averages import average_study
from gradflow.study.margin_charts import pairs
from gradflow.study.records import study_runs


def page(study):
    """Category -> title of a chart, in the order in which TensorBoard shows them -> its three tags."""
    average_study(study, study_runs(study))
    (event,) = EventAccumulator(str(study / "summary")).Reload().Tensors("custom_scalars__config__")
    layout = layout_pb2.Layout.FromString(event.tensor_proto.string_val[0])
    assert [category.closed for category in layout.category] == [False, *[True] * (len(layout.category) - 1)]
    return {
        category.title: {
            chart.title: [(one.value, one.lower, one.upper) for one in chart.margin.series]
            for chart in reversed(category.chart)
        }
        for category in layout.category
    }


def holders(study, tags):
    """The runs that hold all of these tags, and those that hold some."""
    found = {folder: set(tags) & set(curves(folder)) for folder in study.rglob("*/bands")}
    return [folder for folder, held in found.items() if len(held) == 3], [f for f, held in found.items() if held]


def test_every_chart_draws_two_runs_that_have_all_of_it(tmp_path):
    study = tmp_path / "s"
    for activation in ("relu", "sigmoid", "tanh"):
        for blocks in (2, 4):
            for seed in (0, 1):
                write_run(study, activation=activation, seed=seed, **typical(blocks=blocks, accuracy=0.8 + 0.1 * seed))
    found = page(study)
    assert list(found) == ["s: by depth", "s: 2 blocks", "s: 4 blocks"]
    assert list(found["s: 2 blocks"]) == [
        f"{words}: {other} and ReLU"
        for words in ("validation accuracy", "training loss")
        for other in ("sigmoid", "tanh")
    ]
    for charts in found.values():
        for (tags,) in charts.values():
            whole, some = holders(study, tags)
            assert whole == some
            assert len(whole) == 2
            (folder, _) = whole
            steps = [curves(folder)[tag].steps.tolist() for tag in tags]
            assert steps[0] == steps[1] == steps[2]


def test_no_page_where_nothing_has_an_interval(tmp_path):
    for activation in ("relu", "sigmoid"):
        for blocks in (2, 4):
            write_run(tmp_path, activation=activation, **typical(blocks=blocks))
    average_study(tmp_path, study_runs(tmp_path))
    assert not list((tmp_path / "summary").glob("events*"))
    assert not list(tmp_path.rglob("bands"))


def test_no_chart_of_a_pair_of_which_one_has_no_interval(tmp_path):
    for activation, blocks, seeds in (("relu", 2, 2), ("sigmoid", 2, 2), ("relu", 4, 2), ("sigmoid", 4, 1)):
        for seed in range(seeds):
            write_run(tmp_path / "s", activation=activation, seed=seed, **typical(blocks=blocks))
    assert list(page(tmp_path / "s")) == ["s: by depth", "s: 2 blocks"]


def test_the_baseline_is_relu_or_else_the_first_and_an_activation_may_be_alone():
    members = {"a": ("x", "elu"), "b": ("x", "relu"), "c": ("y", "gelu"), "d": ("y", "tanh"), "e": ("z", "elu")}
    assert pairs(members) == {
        "a": ["ELU and ReLU"],
        "b": ["ELU and ReLU"],
        "c": ["tanh and GELU"],
        "d": ["tanh and GELU"],
        "e": ["ELU"],
    }
