"""What README and docs say of the shipped studies is what their kept results give."""

import io
import re
import shlex

import numpy as np
import pandas as pd
import pytest
import torch
from docs_examples import DOCS, ROOT, one_line
from finished_runs import records
from forged_runs import run_record
from rich.console import Console
from scipy.stats import gmean

from gradflow.study.closing_table import closing_table
from gradflow.study.comparison.compare import compare
from gradflow.study.comparison.overall import overall
from gradflow.training import build

README = one_line((ROOT / "README.md").read_text())
PAGE = (DOCS / "results.md").read_text()
TRAINING = one_line((DOCS / "training.md").read_text())
OUTPUTS = (DOCS / "output_and_loss.md").read_text()


def kept(name):
    """The results of a study: one row per configuration and metric, a column per seed."""
    return pd.read_csv(DOCS / "studies" / f"{name}.csv", keep_default_na=False, na_values=[""])


def records_of(name):
    """run.json of its runs, as far as they are kept; in the order of a sweep."""
    results = kept(name)
    order = list(dict.fromkeys(results["activation"]))[::-1]  # sigmoid first, as the presets have it
    found = []
    for _, rows in results.groupby("config", sort=False):
        first = rows.iloc[0]
        axes = dict(re.findall(r"([\w.]+)=(\w+)", "" if pd.isna(first["variant"]) else first["variant"]))
        for seed in range(sum(column.startswith("seed=") for column in results)):
            values = rows.set_index("metric")[f"seed={seed}"].dropna().to_dict()
            options = {"axes": axes, "study": name, "metrics": values}
            found.append(run_record(first["activation"], blocks=int(first["blocks"]), seed=seed, **options))
    first_without = lambda record: (order.index(record["activation"]), record["axes"].get("model.norm") != "none")  # noqa: E731
    return sorted(found, key=first_without)


def printed(name):
    """The table at the end of the sweep."""
    out = io.StringIO()
    Console(file=out, width=120).print(closing_table(records_of(name)))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines() if line[:1] in "┏┃┡│└")


@pytest.mark.parametrize("name", ["digits_vanishing", "digits_depth"])
def test_the_page_shows_the_table_of_the_kept_study(name):
    assert f"{printed(name)}\n" in PAGE


@pytest.mark.parametrize("name", ["digits_vanishing", "digits_depth"])
def test_the_page_quotes_the_verdict_of_the_kept_study(name):
    verdict = overall(compare(records_of(name)))
    for sentence in verdict.plain:
        assert sentence in one_line(PAGE)


def test_readme_and_page_say_what_the_kept_study_found():
    results = kept("digits_vanishing")
    results = results[results["metric"] == "test/acc_at_best"]
    of = lambda name, norm: results[(results["activation"] == name) & (results["variant"] == f"model.norm={norm}")]  # noqa: E731
    one, four, eight = (f"{100 * mean:.0f} %" for mean in of("sigmoid", "none").sort_values("blocks")["mean"])
    assert f"{one} of the test images right with one block, {four} with four, {eight} with eight" in README
    for rows, said in (
        (of("relu", "none"), "ReLU stays at"),
        (results[results["variant"] == "model.norm=batch"], "both stay at"),
    ):
        assert f"{said} {100 * rows['mean'].min():.0f} to {100 * rows['mean'].max():.0f} %" in README
    for sentence in overall(compare(records_of("digits_vanishing"))).plain:
        assert f'"{sentence.partition(", ")[2].rstrip(".")}"' in README
    deepest = [of(name, "batch").set_index("blocks").loc[8, "mean"] for name in ("sigmoid", "relu")]
    assert f"where sigmoid is {100 * (deepest[0] - deepest[1]):.1f} points ahead" in one_line(PAGE)


def initial_gain(compose, seed, *overrides):
    """The gain per layer of the first batch, from backpropagation in float64 and numpy's least-squares line."""
    cfg = compose("model=mlp", "init=he", "blocks=8", f"seed={seed}", *overrides)
    data = build.data(cfg)
    data.setup()
    loader = data.train_dataloader()
    loader.sampler.set_epoch(0)
    x, y = next(iter(loader))
    network = build.network(cfg, data).double()
    torch.nn.functional.cross_entropy(network(x.double()), y).backward()
    rms = [layer.affine.weight.grad.square().mean().sqrt().item() for layer in network.layers[1:-1]]
    return 10 ** -np.polyfit(range(len(rms)), np.log10(rms), 1)[0]


@pytest.mark.slow
def test_readme_and_page_say_what_each_layer_passes_on_before_the_first_update(compose):
    sigmoid, relu, normalised = (
        gmean([initial_gain(compose, seed, *overrides) for seed in range(8)])
        for overrides in (["activation=sigmoid"], ["activation=relu"], ["activation=sigmoid", "model.norm=batch"])
    )
    for text in (README, one_line(PAGE)):
        assert f"each layer of the sigmoid networks passes on {sigmoid:.2f} of the gradient (ReLU: {relu:.1f})" in text
        assert f"gets {sigmoid:.2f}⁶, about {sigmoid**6:.4f}, of what the last one gets" in text
    assert f"Batch normalisation raises the {sigmoid:.2f} to {normalised:.2f}" in one_line(PAGE)


def test_the_page_has_the_scores_by_running_averages_of_the_kept_study():
    results = kept("digits_depth")
    cell = results[(results["activation"] == "sigmoid") & (results["blocks"] == 8)].set_index("metric")
    running, recomputed = (f"{cell.loc[tag, 'mean']:.2f}" for tag in ("test/acc_running_bn", "test/acc"))
    assert f"would have scored {running} in the last epoch instead of {recomputed}" in one_line(PAGE)


SCORED = re.findall(
    r"train\.py (-m data=.*?)\s+# test (?:accuracy|R²) ([\d.]+), ([\d.]+)$", OUTPUTS, flags=re.MULTILINE
)


@pytest.mark.slow
@pytest.mark.parametrize(("arguments", "first", "second"), SCORED)
def test_commands_reach_the_scores_beside_them(command, tmp_path, arguments, first, second):
    assert command(*shlex.split(arguments), "threads=1", "callbacks.pictures=null").status == 0
    scores = [one["metrics"][one["headline"]] for one in records(tmp_path).values()]
    assert sorted(scores) == pytest.approx(sorted(map(float, (first, second))), abs=0.01)


def test_there_are_such_commands():
    assert len(SCORED) == 2


def test_the_page_on_training_has_the_scores_in_bfloat16():
    results = kept("digits_bf16")
    best = results[results["metric"] == "test/acc_at_best"].set_index(["activation", "blocks", "variant"])["mean"]
    relu, sigmoid = (
        [" and ".join(f"{best[name, b, f'precision={p}']:.3f}" for p in ("32", "bf16")) for b in (1, 4)]
        for name in ("relu", "sigmoid")
    )
    said = f"ReLU {relu[0]} with one block, {relu[1]} with four; sigmoid {sigmoid[0]}, {sigmoid[1]}."
    assert said in TRAINING
