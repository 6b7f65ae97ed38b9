"""What the device can do at most: by the data sheet, and by a product of matrices and a copy measured here."""

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from gpu_findings import Table
from gpu_runs import wait_for
from gpu_settings import Settings

from gradflow.runs.provenance import device_name

PRECISIONS = ("bf16", "tf32", "32")


class Peak(NamedTuple):
    """Of a card: dense TFLOP/s of its matrix units in bf16 and TF32, of float32, and its memory's TB/s."""

    bf16: float
    tf32: float
    float32: float
    memory: float


# NVIDIA's data sheets, without sparsity; the first name that a device's name contains counts.
PEAKS = {
    "H200": Peak(989.0, 494.0, 67.0, 4.8),
    "H100 PCIe": Peak(756.0, 378.0, 51.0, 2.0),
    "H100": Peak(989.0, 494.0, 67.0, 3.35),
    "A100-SXM4-80GB": Peak(312.0, 156.0, 19.5, 2.039),
    "A100 80GB PCIe": Peak(312.0, 156.0, 19.5, 1.935),
    "A100": Peak(312.0, 156.0, 19.5, 1.555),
}


class Ceilings(NamedTuple):
    """Measured: FLOP/s of a product of matrices by precision, bytes/s of a copy."""

    products: dict[str, float]
    copy: float


def peak_of(name: str) -> Peak | None:
    """What the data sheet promises of a device with this name."""
    return next((peak for known, peak in PEAKS.items() if known in name), None)


def measured(settings: Settings) -> Ceilings:
    """The ceilings of this device, as its own libraries reach them."""
    size = settings.size.product
    products = {}
    for precision in PRECISIONS:
        torch.set_float32_matmul_precision("high" if precision == "tf32" else "highest")
        dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        a, b = (torch.randn(size, size, device=settings.device).to(dtype) for _ in range(2))
        products[precision] = 2 * size**3 / seconds_of(lambda a=a, b=b: a @ b, settings.device)
    torch.set_float32_matmul_precision("highest")
    source = torch.randn(settings.size.copied_mib * 2**18, device=settings.device)
    target = torch.empty_like(source)
    copied = 2 * source.numel() * source.element_size()
    return Ceilings(products, copied / seconds_of(lambda: target.copy_(source), settings.device))


def seconds_of(call: Callable[[], object], device: str, *, calls: int = 10, rounds: int = 3) -> float:
    """Seconds of one call, the fastest round's mean, after three calls to warm up."""
    found = []
    for _ in range(3):
        call()
    for _ in range(rounds):
        wait_for(device)
        start = time.perf_counter()
        for _ in range(calls):
            call()
        wait_for(device)
        found.append((time.perf_counter() - start) / calls)
    return min(found)


def ceilings(settings: Settings) -> Iterator[Table]:
    """The table of them."""
    name = device_name(torch.device(settings.device))
    peak, found = peak_of(name), measured(settings)
    promised = dict(zip(PRECISIONS, peak[:3], strict=True)) if peak else {}
    size = settings.size.product
    rows: list[list[str | float | None]] = [
        [f"product of {size} x {size} matrices, {precision}, TFLOP/s", flops / 1e12, promised.get(precision)]
        for precision, flops in found.products.items()
    ]
    rows.append(
        [f"copy of {settings.size.copied_mib} MiB, read and written, TB/s", found.copy / 1e12, peak and peak.memory]
    )
    note = "Data sheet: dense, without sparsity." if peak else f"No data sheet of {name} is stored in gpu_card.py."
    yield Table("The card's ceilings", ("what", "measured here", "data sheet"), rows, note)
