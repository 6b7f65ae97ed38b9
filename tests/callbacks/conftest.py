"""Fixtures that train a small network with Lightning on the CPU."""

from functools import partial

import lightning as L
import pytest
import torch
from small_runs import CLASSES, VALIDATION, Fit, small_mlp, table

from gradflow.data.datamodule import ArrayDataModule
from gradflow.measure.scores import task
from gradflow.runs.logger import RunLogger
from gradflow.training.module import ActivationModule


@pytest.fixture(autouse=True)
def _one_thread():
    """Layers of six units gain nothing from more."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def prepare(tmp_path):
    """Everything for a run, not yet started; keyword arguments that are not named go to the Trainer."""
    count = iter(range(100))

    def make(network=None, *, callbacks=(), arrays=None, seed=0, lr=0.1, batch_size=4, eval_batch_size=4, **options):
        folder = tmp_path / f"run{next(count)}"
        folder.mkdir()
        network = small_mlp(seed=seed) if network is None else network
        data = ArrayDataModule(
            lambda: table() if arrays is None else arrays,
            batch_size=batch_size,
            eval_batch_size=eval_batch_size,
            validation="last",
            validation_size=VALIDATION,
            seed=seed,
        )
        module = ActivationModule(
            network,
            task("classification", num_outputs=CLASSES),
            optimizer=partial(torch.optim.SGD, lr=lr),
            seed=seed,
        )
        defaults = {"max_epochs": 2, "num_sanity_val_steps": 0, "logger": RunLogger(folder)}
        quiet = {"enable_progress_bar": False, "enable_model_summary": False, "enable_checkpointing": False}
        trainer = L.Trainer(
            accelerator="cpu",
            default_root_dir=folder,
            log_every_n_steps=1,
            callbacks=list(callbacks),
            **(quiet | defaults | options),
        )
        return Fit(network, data, module, trainer, folder)

    return make


@pytest.fixture
def fit(prepare):
    """`prepare`, and train."""
    return lambda *arguments, **options: prepare(*arguments, **options).run()
