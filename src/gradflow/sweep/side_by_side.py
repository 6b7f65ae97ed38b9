"""Runs side by side, a worker with its share of the cores each: how a sweep is trained on CPUs unless another is asked.

Small networks cannot use several cores, large ones lose in waiting what runs of their own do not (docs/speed.md).
"""

import torch
from hydra.core.config_store import ConfigStore
from joblib import cpu_count
from omegaconf import DictConfig, open_dict

from gradflow import threads
from gradflow.sweep.free_memory import free_memory
from gradflow.training.process import processes

GROUP = "hydra/launcher"
IN_THE_PROCESS = "basic"  # Hydra's default launcher
MEMORY = 2 * 2**30  # bytes for a worker: PyTorch, Lightning and CIFAR-10 take 1.1 to 1.5 GiB


def workers(config: DictConfig, *, jobs: int) -> int:
    """How many jobs are trained at a time; 1 where the launcher is to train them in this process.

    Args:
        config: Hydra's, with the values of the first run.
        jobs: how many there are.
    """
    chosen = config.hydra.runtime.choices[GROUP]
    typed = [one.lstrip("+~").partition("=")[0] for one in config.hydra.overrides.hydra]
    if chosen != IN_THE_PROCESS or GROUP in typed or processes(config) > 1 or not _trains_on_cpu(config):
        return 1
    cores = cpu_count() // (config.threads or threads.own_count() or 1)
    return max(1, min(jobs, cores, free_memory() // MEMORY))


def _trains_on_cpu(config: DictConfig) -> bool:
    kind = config.trainer.accelerator
    return kind == "cpu" or (kind == "auto" and not torch.accelerator.is_available())


def launch_side_by_side(config: DictConfig, *, workers: int) -> None:
    """Let a sweep's configuration ask for joblib's launcher with so many workers."""
    with open_dict(config):
        config.hydra.launcher = ConfigStore.instance().load(f"{GROUP}/joblib.yaml").node
        config.hydra.launcher.n_jobs = workers
