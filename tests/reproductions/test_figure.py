"""The picture of the page: published and measured by depth, each number from its table."""

import math
import re

import pytest
from forged_runs import write_run

from gradflow.reproductions import figure
from gradflow.reproductions.__main__ import DOCS
from gradflow.reproductions.collect import collect
from gradflow.reproductions.page import page_text, sections, write_page
from gradflow.reproductions.stored import write
from gradflow.runs.metrics import MetricTable


@pytest.fixture
def docs(tmp_path):
    """Tables of ReLU with 1 block (two seeds) and 8 blocks (one)."""
    for blocks, accuracies in {1: (0.55, 0.57), 8: (0.8,)}.items():
        for seed, accuracy in enumerate(accuracies):
            metrics = {"test/acc_at_best": accuracy, "grad_abs_mean_all_steps": 0.01 * 10**seed}
            write_run(tmp_path / "cifar10_depth", blocks=blocks, seed=seed, metrics=metrics)
    write(tmp_path / "docs/reproductions/cifar10_depth", collect(tmp_path / "cifar10_depth"))
    return tmp_path / "docs"


def drawn(experiment):
    (found,) = [s for s in sections(experiment / "reproductions") if s.experiment.study == "cifar10_depth"]
    return found


def test_what_was_measured_is_next_to_what_was_published(docs):
    points = drawn(docs).by_depth
    assert set(points["activation"]) == {"relu"}  # sigmoid and the other depths were not run
    accuracy = points[points["metric"] == "test/acc_at_best"]
    assert accuracy[["blocks", "source", "mean"]].to_numpy().tolist() == [
        [1, "published", 0.5499],
        [1, "measured", pytest.approx(0.56)],
        [8, "published", 0.8007],
        [8, "measured", 0.8],
    ]
    half = 12.706204736 * 0.01  # of two values whose mean has a standard error of 0.01
    assert accuracy["high"].tolist()[1] == pytest.approx(0.56 + half)
    assert math.isnan(accuracy["low"].tolist()[3])
    gradient = points[(points["metric"] == "grad_abs_mean_all_steps") & (points["source"] == "measured")]
    assert gradient["mean"].tolist() == pytest.approx([math.sqrt(0.01 * 0.1), 0.01])  # geometric


def test_recomputed_statistics_are_a_line_of_their_own_where_they_were_measured(tmp_path):
    for blocks, values in {1: (0.5, None), 8: (0.6, 0.7)}.items():
        for seed, value in enumerate(values):
            metrics = {"test/acc_at_best": 0.4} | ({} if value is None else {"test/acc_recomputed_bn": value})
            write_run(tmp_path / "cifar10_depth", blocks=blocks, seed=seed, metrics=metrics)
    write(tmp_path / "docs/reproductions/cifar10_depth", collect(tmp_path / "cifar10_depth"))
    points = drawn(tmp_path / "docs").by_depth
    precise = points[points["source"] == figure.RECOMPUTED]
    assert precise[["metric", "blocks", "mean"]].to_numpy().tolist() == [
        ["test/acc_at_best", 1, 0.5],
        ["test/acc_at_best", 8, pytest.approx(0.65)],
    ]
    assert math.isnan(precise["high"].tolist()[0])
    assert precise["high"].tolist()[1] == 1.0  # 0.65 + 12.7 * 0.05 ends where an accuracy does


def test_the_page_shows_the_picture_and_writes_it(docs):
    page = write_page(docs).read_text()
    assert "(reproductions/cifar10_depth/by_depth.svg)" in page
    assert (docs / "reproductions/cifar10_depth/by_depth.svg").read_text().startswith("<svg")
    assert "by_depth" not in page_text(docs)  # a folder without tables


def test_one_depth_alone_is_not_drawn(tmp_path):
    write_run(tmp_path / "cifar10_depth", blocks=1, metrics={"test/acc_at_best": 0.55})
    write(tmp_path / "docs/reproductions/cifar10_depth", collect(tmp_path / "cifar10_depth"))
    assert not drawn(tmp_path / "docs").is_drawn


def test_the_committed_picture_shows_the_committed_tables():
    section = drawn(DOCS)
    svg = (DOCS / "reproductions/cifar10_depth" / figure.NAME).read_text()
    for metric, part in section.by_depth.groupby("metric"):
        title = re.escape(MetricTable().final(metric).with_unit)
        marks = re.findall(rf'"blocks: (\d+); {title}: ([^;"]+?)(%?); activation: (\w+)"', svg)
        shown = {(a, int(blocks), float(text) / (100 if unit else 1)) for blocks, text, unit, a in marks}
        expected = {(r.activation, r.blocks, float(f"{r.mean:.4g}")) for r in part.itertuples()}
        assert sorted(shown) == [(a, blocks, pytest.approx(mean)) for a, blocks, mean in sorted(expected)]
