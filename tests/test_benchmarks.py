"""The scripts of tests/benchmarks: that they run, and what they make of the times that they read."""

import importlib
from pathlib import Path

import pytest
from our_runs import RunTimes, Training, train
from paused_runs import Rate, paused_run, rate
from processes import Finished

FOLDER = Path(__file__).parent / "benchmarks"
OTHER_INTERPRETERS = {"jax_mnist_adam", "keras_mnist_sgd"}
TINY = ("activation=relu", "blocks=1", "width=4", "seed=0", "trainer=cpu")


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted({file.stem for file in FOLDER.glob("*.py")} - OTHER_INTERPRETERS))
def test_every_benchmark_can_be_imported(name):
    assert importlib.import_module(name).__doc__


@pytest.mark.slow
def test_a_run_is_timed_by_its_curves():
    training = train((*TINY, "data.batch_size=300", "trainer.max_epochs=4", "threads=1"))
    assert len(training.runs) == 1
    assert len(training.epochs) == 2  # without the first two
    assert len(training.steps) == 4 * (4 - 1)  # 1,197 samples are four batches; gaps between epochs do not count
    assert 0 < training.start_up < training.first_epoch < training.process.seconds


def test_an_epoch_beside_another_run_counts_for_the_time_that_it_had_to_itself():
    alone_later = RunTimes(first_step=0.0, validations=[2.0, 4.0, 8.0, 12.0], steps=[])
    ends_earlier = RunTimes(first_step=1.0, validations=[2.0, 3.0, 6.0], steps=[])
    training = Training(Finished("", 0.0, 12.0, 0.0, 0.0), {"a": alone_later, "b": ends_earlier})
    assert training.epochs == [4.0, 4.0, 3.0]
    # From 4 to 8 both trained half of the time, 1.5 runs on average; from 8 to 12 one; from 3 to 6 two.
    assert training.epochs_a_run == pytest.approx([4 / 1.5, 4.0, 3 / 2])


def test_the_rate_in_a_turn_is_that_of_its_steps_without_validations_or_a_lower_bound():
    steps, validations = [0.0, 10.5, 11.0, 12.5, 13.0, 20.0, 20.5], [12.0, 20.2]
    assert rate(steps, validations, 10.0, 14.0) == Rate(0.5)  # from 11.0 to 12.5 there was a validation
    assert rate(steps, validations, 19.0, 22.0) == Rate(0.5)  # and nothing else from 20.0 to 20.5
    assert rate(steps, validations, 13.5, 19.5) == Rate(6.0, bound=True)
    assert rate(steps, validations, 12.7, 16.7) == Rate(2.0, bound=True)  # one ended, the next would have as long


@pytest.mark.slow
def test_a_paused_run_has_a_rate_for_every_turn():
    with paused_run(TINY, {}) as run:
        run.stop_before_training()
        run.train_an_epoch()
        run.turn(0.1)
        run.turn(0.1)
        assert len(run.rates()) == 2
