"""The report as a whole: its files, its page, what it says when measurements are missing."""

import csv
import html
import json
import re
import subprocess
import sys

import pytest
from browsers import browser_page, needs_browser
from forged_runs import typical, write_run

from gradflow.errors import ConfigError
from gradflow.invocation import interpreter
from gradflow.report import write
from gradflow.runs.record import error_entry, read_record, write_record

pytestmark = pytest.mark.slow  # pictures of every figure

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The folder of a report: two activations, two depths, two seeds, a diverged run and a failed one."""
    study = tmp_path_factory.mktemp("outputs") / "made_up"
    for activation, gain in (("relu", 0.1), (HOSTILE, 0.0)):
        for blocks in (1, 4):
            for seed in (0, 1):
                run = typical(blocks=blocks, accuracy=0.6 + gain + 0.1 * seed)
                write_run(study, activation=activation, seed=seed, selected_on="test", **run)
    write_run(study, seed=2, state="diverged", blocks=4)
    write_run(study, seed=3, state="failed", blocks=4, error=error_entry(OSError("</td><b>no disk</b>")))
    return write.write_report(study).parent


@pytest.fixture
def page(written):
    return (written / "index.html").read_text()


def small_report(study, monkeypatch):
    """The page of a study, without pictures."""
    monkeypatch.setattr(write, "save", lambda figure, folder: None)
    return write.write_report(study).read_text()


def test_a_study_without_activations_speaks_of_what_it_varies(tmp_path, monkeypatch):
    for hidden in (8, 16):
        for seed in (0, 1):
            run = typical(blocks=None)
            folder = write_run(tmp_path / "widths", activation=f"{hidden}", seed=seed, **run)
            write_record(folder, read_record(folder) | {"axes": {"module": "Lit", "module.hidden": hidden}})
    page = small_report(tmp_path / "widths", monkeypatch)
    assert '"sort":["hidden 8","hidden 16"]' in page
    assert "Test accuracy at the best epoch and gradient gain per layer, last epoch, by hidden" in page
    assert "<h1>Does the hidden matter?</h1>" in page
    assert 'title="show or hide module.hidden=8"' in page
    assert ">hidden 8</button>" in page
    assert not re.search(r"by activation|>\s*[Aa]ctivation\s*<|\"title\": ?\"activation\"", page)


def test_all_files_are_there(written):
    names = [
        *("answer", "learning_curves", "over_training", "gradient_by_layer", "mean_gradient"),
        *("dead_units", "dormant_units"),
    ]
    files = {f"figures/{name}.{ending}" for name in names for ending in ("png", "svg", "pdf")}
    found = {str(file.relative_to(written)) for file in written.rglob("*") if file.is_file()}
    assert found == files | {"index.html", "table.csv", "table.md"}
    assert (written / "figures/answer.png").read_bytes().startswith(b"\x89PNG")
    assert (written / "figures/answer.pdf").read_bytes().startswith(b"%PDF")
    assert [file.name for file in written.parent.glob(".*") if file.name != ".lock"] == []


def test_values_from_the_data_are_escaped(page, written):
    assert HOSTILE not in page
    assert html.escape(HOSTILE) in page
    assert "<b>no disk" not in page
    specs = re.search(r'<script type="application/json" id="specs">(.*?)</script>', page, re.DOTALL)
    assert any(HOSTILE in json.dumps(spec) for spec in json.loads(specs[1]).values())
    assert HOSTILE not in (written / "table.md").read_text()
    assert HOSTILE not in (written / "figures/answer.svg").read_text()


def test_the_page_loads_nothing(page):
    text = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert not re.findall(r"https?://|@import|url\(", text)
    links = re.findall(r"""(?:src|href)\s*=\s*["']([^"']*)""", text)
    assert all(re.match(r"figures/\w+\.(png|svg|pdf)$|table\.(csv|md)$|#[\w-]+$", link) for link in links)
    assert "default-src 'none'" in page


def test_the_page_says_what_was_run_and_what_is_missing(page):
    for said in ("selected on test", "c0ffee", "torch 2.11.0", "a CPU, 2 threads", "1 diverged, 1 failed", "OSError"):
        assert said in page
    assert "8 of 10 runs finished" in page


def test_the_csv_has_every_seed(written):
    rows = list(csv.DictReader((written / "table.csv").read_text().splitlines()))
    (row,) = [
        row for row in rows if (row["activation"], row["blocks"], row["metric"]) == ("relu", "4", "test/acc_at_best")
    ]
    assert [float(row[key]) for key in ("n", "mean", "seed=0", "seed=1")] == pytest.approx([2, 0.75, 0.7, 0.8])
    assert row["selected_on"] == "test"
    assert "grad_abs_mean_all_steps" in {row["metric"] for row in rows}


def test_the_markdown_has_means_and_the_change_with_depth(written):
    text = (written / "table.md").read_text()
    assert "| ReLU | 4 | 2 | 75.00 | 7.07 | 11.47, 100.00 | 0: 70.00, 1: 80.00 |" in text
    assert "| ReLU | 1 → 4 | 75.00 → 75.00 | +0.00 | +0.0 |" in text


def test_a_second_report_replaces_the_first_as_a_whole(tmp_path, monkeypatch):
    write_run(tmp_path, **typical())
    small_report(tmp_path, monkeypatch)
    (tmp_path / "report/old").touch()
    monkeypatch.setattr(write, "save", lambda figure, folder: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write.write_report(tmp_path)
    assert (tmp_path / "report/old").exists()
    small_report(tmp_path, monkeypatch)
    assert sorted(file.name for file in (tmp_path / "report").iterdir()) == [
        "figures",
        "index.html",
        "table.csv",
        "table.md",
    ]
    assert [file.name for file in tmp_path.glob(".*") if file.name != ".lock"] == []


def test_nothing_has_finished(tmp_path, monkeypatch):
    write_run(tmp_path, state="planned", provenance=None, duration_s=None)
    write_run(tmp_path, state="diverged", seed=1)
    page = small_report(tmp_path, monkeypatch)
    assert "Every run that has ended diverged." in page
    assert "No run of this study has finished yet" in (tmp_path / "report/table.md").read_text()
    assert "1 planned, 1 diverged" in page
    assert "vegaEmbed" not in page


def test_question_answer_and_evidence_come_first_and_statistics_below(tmp_path, monkeypatch):
    for activation, score in (("relu", 0.9), ("sigmoid", 0.3)):
        for blocks in (1, 4):
            for seed in range(3):
                run = typical(blocks=blocks, accuracy=score + 0.01 * seed * (activation == "relu"))
                run["metrics"]["test/acc_running_bn"] = 0.97
                write_run(tmp_path / "made_up", activation=activation, seed=seed, selected_on="test", **run)
    page = small_report(tmp_path / "made_up", monkeypatch)
    header, main = page.split("</header>")
    assert "<h1>Does the activation matter as the network gets deeper?</h1>" in header
    assert "<p>ReLU stays at 91 % at every depth; sigmoid stays at 30 % at every depth.</p>" in header
    assert "Test accuracy at the best epoch, selected on test, mean of 3 seeds, 1 to 4 blocks." in header
    assert (
        "Evidence from 3 seeds:</strong> ReLU scores higher than sigmoid at every depth: suggested at both." in header
    )
    command = f"{interpreter()} train.py -m activation=relu,sigmoid blocks=1,4 output_dir={tmp_path} seed=3,4,5,6"
    assert f'<pre tabindex="0">{command}</pre>' in header
    statistics = main.split('id="statistics"')[1].split("</section>")[0]
    basis = "By test accuracy at the best epoch, selected on test, paired by seed, Holm-corrected over 2 comparisons"
    assert statistics.index("Every comparison (2)") < statistics.index(basis)
    assert "Run them all before you look again" in statistics
    assert statistics.count("<li>") == 2
    assert "running averages" not in header + statistics


def test_monitors_off_one_seed_one_activation(tmp_path, monkeypatch):
    run = typical()
    kept = ("val/acc", "train/loss")
    run["curves"] = {tag: curve for tag, curve in run["curves"].items() if tag in kept}
    run["metrics"] = {"test/acc_at_best": 0.9, "val/acc": 0.9}
    write_run(tmp_path, **run)
    page = small_report(tmp_path, monkeypatch)
    assert re.findall(r'<figure id="(\w+)"', page) == ["answer", "learning_curves"]
    assert "no verdict, as verdicts compare activations and this study has only one." in page
    assert "Evidence from 1 seed:" in page
    assert "1 of 1 run finished" in page


def test_every_figure_and_table_with_an_interval_says_what_it_covers(page, written):
    sentence = "The 95 % intervals cover training&#39;s randomness, with one split and one test set."
    figures = re.findall(r"<figure (.*?)</figure>", page, re.DOTALL)
    with_charts = [figure for figure in figures if 'class="chart"' in figure]
    assert (len(with_charts), len(figures)) == (7, 8)
    maps = [figure for figure in with_charts if 'class="heat"' in figure]
    said = [figure for figure in with_charts if html.unescape(sentence) in html.unescape(figure)]
    assert maps
    assert said == [figure for figure in with_charts if figure not in maps]  # a map of units has no interval
    tables = re.findall(r'<p class="caption">(.*?)</p>', page)
    without = [caption for caption in tables if html.unescape(sentence) not in html.unescape(caption)]
    assert [caption.split(":")[0] for caption in without] == ["Change with depth", "Left out of every average"]


def test_with_a_single_seed_nothing_speaks_of_an_interval(tmp_path, monkeypatch):
    drawn = {}
    monkeypatch.setattr(write, "save", lambda figure, folder: drawn.update({figure.name: figure}))
    for activation in ("relu", "sigmoid"):
        for blocks in (1, 4):
            write_run(tmp_path, activation=activation, **typical(blocks=blocks))
    page = write.write_report(tmp_path).read_text()
    said = re.sub(r"<script.*?</script>|<style.*?</style>", "", page, flags=re.DOTALL)
    assert len(drawn) == 8
    assert "interval" not in said
    assert "over the seeds" not in said
    assert "interval" not in (tmp_path / "report/table.md").read_text()


def test_a_study_without_depths_or_with_further_axes(tmp_path, monkeypatch):
    for lr in (0.1, 0.2):
        write_run(tmp_path, axes={"optimizer.lr": lr}, **typical(blocks=None))
    page = small_report(tmp_path, monkeypatch)
    assert "learning rate 0.2" in page


def test_wrong_input(tmp_path):
    with pytest.raises(ConfigError, match="no runs here"):
        write.write_report(tmp_path)
    write_run(tmp_path, **typical())
    with pytest.raises(ValueError, match="baseline=swoosh"):
        write.write_report(tmp_path, baseline="swoosh")
    assert not (tmp_path / "report").exists()


def test_reading_a_study_needs_no_torch():
    code = "import sys, gradflow.report; sys.exit('torch' in sys.modules or 'lightning' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@needs_browser
def test_a_browser_draws_every_panel(written, page):
    with browser_page(width=1400) as opened:
        opened.goto((written / "index.html").as_uri())
        opened.locator("html[data-drawn]").wait_for()
        shown = opened.content()
    panels = page.count('class="chart"')
    assert f'data-drawn="{panels}"' in shown
    assert shown.count('role="graphics-document"') == panels
    assert HOSTILE not in re.sub(r"<script.*?</script>", "", shown, flags=re.DOTALL)


@pytest.mark.parametrize(("normalised", "said"), [((True, True), 1), ((True, False), 0), ((False, False), 0)])
def test_where_every_network_is_normalised_the_page_says_what_shows_the_contrast(
    tmp_path, monkeypatch, normalised, said
):
    monkeypatch.setattr(write, "save", lambda figure, folder: None)
    for activation, has_batch_norm in zip(("relu", "sigmoid"), normalised, strict=True):
        run = typical()
        run["metrics"] |= {"test/acc_running_bn": 0.5} if has_batch_norm else {}
        write_run(tmp_path, activation=activation, **run)
    assert write.write_report(tmp_path).read_text().count("experiment=digits_vanishing") == said
