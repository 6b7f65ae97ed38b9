"""How far a sweep is, from run folders alone."""

import pytest
from forged_runs import run_record

from gradflow.runs import folders
from gradflow.runs.progress import Progress, read_progress, write_progress
from gradflow.runs.record import State, read_record, write_record
from gradflow.sweep.plan import PlannedRun
from gradflow.sweep.progress import SweepProgress

EPOCHS = 4


@pytest.fixture
def sweep(tmp_path):
    """Runs of relu and tanh with 1 and 3 blocks, all planned."""
    runs = []
    for activation in ("relu", "tanh"):
        for blocks in (1, 3):
            record = run_record(activation, blocks=blocks, state=State.PLANNED, length={"trainer.max_epochs": EPOCHS})
            folder = folders.run_folder(tmp_path, "study", record["config"], 0)
            write_record(folder, record)
            runs.append(PlannedRun(folder))
    return runs


def put(run, state, **more):
    record = read_record(run.folder)
    attempts = record["attempts"] + (state == State.RUNNING)
    write_record(run.folder, record | {"state": state, "attempts": attempts, **more})


def train(run, epoch, score=""):
    write_progress(run.folder, Progress(epoch, EPOCHS, score))


def test_runs_are_named_by_what_tells_them_apart(sweep):
    progress = SweepProgress(sweep, sweep)
    put(sweep[1], State.RUNNING)
    train(sweep[1], 1.5, "val/acc 0.900")
    standing = progress.look(0.0)
    (running,) = standing.running
    assert (running.number, running.name, running.progress) == (2, ("relu", "blocks=3"), (1.5, EPOCHS, "val/acc 0.900"))
    assert (standing.of, standing.over, standing.ended) == (4, 0, ())


def test_no_time_is_promised_before_an_epoch_is_done_and_then_it_follows_the_pace(sweep):
    progress = SweepProgress(sweep, sweep)
    assert progress.look(0.0).seconds_left is None
    put(sweep[0], State.RUNNING)
    train(sweep[0], 0)
    assert progress.look(100.0).seconds_left is None
    train(sweep[0], 0.5)
    assert progress.look(101.0).seconds_left is None
    train(sweep[0], 2)
    standing = progress.look(104.0)  # 2 s an epoch with 1 block, so 1 s a layer: 8, 16, 8, 16 s; 4 of 48 are done
    assert standing.share == pytest.approx(4 / 48)
    assert standing.seconds_left == pytest.approx(44.0)


def test_of_two_at_a_time_the_rest_takes_half_as_long_but_no_less_than_the_longest(sweep):
    progress = SweepProgress(sweep, sweep)
    for run in sweep[:2]:
        put(run, State.RUNNING)
        train(run, 0)
    progress.look(0.0)
    train(sweep[0], 2)
    train(sweep[1], 1)
    standing = progress.look(4.0)  # 2 s an epoch with 1 block, 4 s with 3: 8, 16, 8, 16 s
    assert standing.share == pytest.approx(8 / 48)
    assert standing.seconds_left == pytest.approx(20.0)
    for run, seconds in zip(sweep[:3], (8.0, 16.0, 8.0), strict=True):
        put(run, State.FINISHED, duration_s=seconds)
    put(sweep[3], State.RUNNING)
    train(sweep[3], 0)
    assert progress.look(8.0).seconds_left == pytest.approx(16.0)  # 32 of 48 in 8 s; the last one takes 16 s


def test_what_was_done_before_counts_neither_as_work_nor_as_pace(sweep):
    put(sweep[0], State.RUNNING)
    put(sweep[0], State.INTERRUPTED)
    progress = SweepProgress(sweep, sweep[:1])
    assert progress.look(0.0).running == ()
    put(sweep[0], State.RUNNING)
    train(sweep[0], 3)
    assert progress.look(0.0).share == 0.0
    train(sweep[0], 3.5)
    assert progress.look(5.0).share == pytest.approx(0.5)


def train_half(run, progress):
    """Two of four epochs, of 2 s each."""
    put(run, State.RUNNING)
    train(run, 0)
    progress.look(0.0)
    train(run, 2)
    progress.look(4.0)


def test_of_a_run_that_has_failed_nothing_is_left(sweep):
    progress = SweepProgress(sweep, sweep[:2])
    train_half(sweep[0], progress)
    put(sweep[0], State.FAILED)
    standing = progress.look(4.0)  # 2 s an epoch with 1 block, so 4 s with 3: 4 s are done and 16 s are left
    assert standing.share == pytest.approx(4 / 20)
    assert standing.seconds_left == pytest.approx(16.0)


def test_every_end_is_told_once_and_failures_are_counted(sweep):
    progress = SweepProgress(sweep, sweep)
    put(sweep[0], State.RUNNING)
    progress.look(0.0)
    put(sweep[0], State.FINISHED, duration_s=8.0)
    put(sweep[1], State.RUNNING)
    put(sweep[1], State.FAILED)
    standing = progress.look(1.0)
    assert [(number, name, record["state"]) for number, name, record in standing.ended] == [
        (1, ("relu", "blocks=1"), State.FINISHED),
        (2, ("relu", "blocks=3"), State.FAILED),
    ]
    assert (standing.over, standing.failed) == (2, 1)
    assert progress.look(2.0).ended == ()


def test_a_run_whose_worker_was_killed_is_not_over_and_its_work_is_still_to_do(sweep):
    progress = SweepProgress(sweep, sweep[:1])
    train_half(sweep[0], progress)
    put(sweep[0], State.INTERRUPTED)
    standing = progress.look(4.0)
    assert (standing.over, standing.share, standing.ended) == (0, pytest.approx(0.5), ())
    assert standing.seconds_left == pytest.approx(4.0)


def test_folders_that_are_moved_away_and_files_half_written_do_no_harm(sweep, tmp_path):
    progress = SweepProgress(sweep, sweep)
    put(sweep[0], State.RUNNING)
    (sweep[0].folder / folders.PROGRESS_FILE).write_text("[1.0, ")
    assert read_progress(sweep[0].folder) is None
    sweep[1].folder.rename(tmp_path / "elsewhere")
    assert progress.look(0.0).of == 4
