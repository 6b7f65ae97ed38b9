"""Tables by depth, against numbers worked out by hand."""

from forged_runs import write_run

from gradflow.report import tables
from gradflow.report.frames import study_frames
from gradflow.study.records import study_runs


def table_of(make, study):
    records = study_runs(study)
    return make(study_frames(study, records), records)


def write(study, accuracies, **more):
    """`accuracies[activation][blocks]` of two seeds; mean gradients 1e-3 and 1e-5, whose geometric mean is 1e-4."""
    for activation, by_depth in accuracies.items():
        for blocks, values in by_depth.items():
            for seed, (value, gradient) in enumerate(zip(values, (1e-3, 1e-5), strict=True)):
                metrics = {"test/acc_at_best": value, "grad_abs_mean_all_steps": gradient}
                write_run(study, activation=activation, blocks=blocks, seed=seed, metrics=metrics, **more)


def test_score_and_mean_gradient_stand_by_depth(tmp_path):
    write(tmp_path, {"relu": {1: (0.5, 0.5), 8: (0.8, 0.8)}, "sigmoid": {1: (0.4, 0.4)}})
    table = table_of(tables.depth_table, tmp_path)
    assert table.headers == [
        "hidden blocks",
        "ReLU: test accuracy at the best epoch (%)",
        "sigmoid: test accuracy at the best epoch (%)",
        "ReLU: mean absolute gradient, all steps",
        "sigmoid: mean absolute gradient, all steps",
    ]
    assert [row[:3] for row in table.rows] == [
        ["1", "50.00 [50.00, 50.00]", "40.00 [40.00, 40.00]"],
        ["8", "80.00 [80.00, 80.00]", tables.NO_NUMBER],
    ]
    assert [row[3].split()[0] for row in table.rows] == ["0.0001", "0.0001"]


def test_the_change_is_from_the_shallowest_to_the_deepest_in_points_and_per_cent(tmp_path):
    # (0.75 - 0.5) = 25 points, half as much again; (0.3 - 0.4) = -10 points, a quarter less; 4 blocks do not count.
    write(tmp_path, {"relu": {1: (0.4, 0.6), 4: (0.9, 0.9), 8: (0.7, 0.8)}, "sigmoid": {2: (0.4, 0.4), 8: (0.3, 0.3)}})
    table = table_of(tables.change_table, tmp_path)
    assert table.headers[-2:] == ["change (points)", "change (% of the shallowest)"]
    assert table.rows == [
        ["ReLU", "1 → 8", "50.00 → 75.00", "+25.00", "+50.0"],
        ["sigmoid", "2 → 8", "40.00 → 30.00", "-10.00", "-25.0"],
    ]


def test_a_change_from_nothing_or_from_less_has_no_percentage(tmp_path):
    for activation, first in (("relu", 0.0), ("tanh", -0.5)):
        for blocks, value in ((1, first), (8, 0.5)):
            metrics = {"test/r2_at_best": value}
            write_run(tmp_path, activation=activation, blocks=blocks, headline="test/r2_at_best", metrics=metrics)
    assert [row[2:] for row in table_of(tables.change_table, tmp_path).rows] == [
        ["0 → 0.5", "+0.5", tables.NO_NUMBER],
        ["-0.5 → 0.5", "+1", tables.NO_NUMBER],
    ]


def test_one_depth_has_no_tables_by_depth(tmp_path):
    write(tmp_path, {"relu": {2: (0.5, 0.5)}, "sigmoid": {2: (0.4, 0.4)}})
    assert table_of(tables.depth_table, tmp_path).rows == []
    assert table_of(tables.change_table, tmp_path).rows == []


def test_variants_have_their_own_rows(tmp_path):
    for lr in (0.1, 0.2):
        write(tmp_path, {"relu": {1: (0.5, 0.5), 2: (lr, lr)}}, axes={"optimizer.lr": lr})
    table = table_of(tables.depth_table, tmp_path)
    assert table.headers[:2] == ["hidden blocks", "setting"]
    assert [row[:3] for row in table.rows] == [
        ["1", "learning rate 0.1", "50.00 [50.00, 50.00]"],
        ["2", "learning rate 0.1", "10.00 [10.00, 10.00]"],
        ["1", "learning rate 0.2", "50.00 [50.00, 50.00]"],
        ["2", "learning rate 0.2", "20.00 [20.00, 20.00]"],
    ]
