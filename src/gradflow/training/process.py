"""Settings of the whole process: threads, subnormal numbers, TF32. All are restored: a sweep may share a process."""

import gc
import logging
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from omegaconf import DictConfig, ListConfig

log = logging.getLogger(__name__)

_workers_flush: bool | None = None  # whether torch's worker threads flush subnormal numbers; None before the first
ASKS_DRIVER = "PYTORCH_NVML_BASED_CUDA_CHECK"


def processes(cfg: DictConfig) -> int:
    """How many processes train a run of this configuration: one per device under `trainer=ddp`."""
    devices = cfg.trainer.devices
    return len(devices) if isinstance(devices, ListConfig) else devices


@contextmanager
def flushing(on: bool) -> Iterator[None]:
    """Flush subnormal numbers to zero in this thread, or not, and restore the setting.

    Worker threads inherit the setting when torch starts them, and keep it. The first call in a process therefore
    decides for them and must precede any computation.
    """
    global _workers_flush
    _workers_flush = on if _workers_flush is None else _workers_flush
    torch.set_flush_denormal(on)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


@contextmanager
def float32_products(*, tf32: bool) -> Iterator[None]:
    """Let GPUs round the inputs of float32 products and convolutions to TF32, or not, and restore the setting.

    Left alone, torch rounds those of convolutions only.
    """
    products, convolutions = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    torch.set_float32_matmul_precision("high" if tf32 else "highest")
    torch.backends.cudnn.allow_tf32 = tf32
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(products)
        torch.backends.cudnn.allow_tf32 = convolutions


def free_gpu() -> None:
    """Free what a run that has ended holds on a GPU.

    Its objects refer to one another, so Python keeps them until it has seen many more, whatever they hold on a GPU.
    """
    if torch.cuda.is_initialized():
        gc.collect()
        torch.cuda.empty_cache()


@contextmanager
def lightning_called() -> Iterator[None]:
    """Let Ctrl-C through as what it is: Lightning answers it with exit(1), and ignores it from then on."""
    interrupt = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SystemExit as error:
        if error.code == 1:  # a signal that `gradflow.signals` has handled keeps its own status
            raise KeyboardInterrupt from error
        raise
    finally:
        signal.signal(signal.SIGINT, interrupt)


@contextmanager
def process_settings(cfg: DictConfig) -> Iterator[None]:
    """Settings of the whole process for one run, restored afterwards."""
    threads = torch.get_num_threads()
    wanted = max(1, (cfg.threads or threads) // processes(cfg))
    if _workers_flush not in (None, cfg.flush_denormal) and wanted > 1:
        log.warning("flush_denormal=%s: this process began otherwise, so the run has one thread", cfg.flush_denormal)
        wanted = 1
    # Lightning makes torch query the driver for a GPU, which Adam then does at every step: 0.1 ms.
    asks_driver = os.environ.pop(ASKS_DRIVER, None)
    torch.set_num_threads(wanted)
    try:
        with float32_products(tf32=cfg.precision == "tf32"), flushing(cfg.flush_denormal):
            yield
    finally:
        torch.set_num_threads(threads)
        if asks_driver is not None:
            os.environ[ASKS_DRIVER] = asks_driver
