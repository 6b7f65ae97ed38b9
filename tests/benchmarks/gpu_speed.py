"""How long the thirty runs of `cifar10_depth` take on a GPU, what bounds them, and what the monitors cost."""

import math
from collections.abc import Iterator
from typing import NamedTuple

from gpu_card import PRECISIONS, ceilings, measured
from gpu_findings import Cell, Table
from gpu_runs import QUIET, STOPWATCH, conv, mlp, train
from gpu_settings import Settings, Work
from gpu_traffic import step_costs

RUNS_A_DEPTH = 6  # two activations, three seeds
EPOCHS = 10
TARGETS_MIN = (10, 3)
MEASURED_EPOCHS = 2  # the first warms up
MONITORS_TARGET = 5.0  # per cent
MONITORS_S = 60.0  # that measuring them takes on a GPU
COLUMNS = ("precision", "compile", "blocks", "step, ms", "steps", "validation, s", "between epochs, s", "once a run, s")
TITLE = "`cifar10_depth`, one run at a time, by depth"


class Timed(NamedTuple):
    """One configuration: seconds of a step, of a validation pass, between epochs, and once a run."""

    step: float
    steps: int
    validation: float
    between: float
    once: float

    @property
    def run_s(self) -> float:
        """Seconds of a run of ten epochs."""
        return self.once + EPOCHS * (self.steps * self.step + self.validation + self.between)


_known: dict[tuple[str, bool, int], Timed] = {}  # precision, compile, blocks


def timed(settings: Settings, *, blocks: int, precision: str, compiles: bool = False, monitors: bool = True) -> Timed:
    """Train two epochs in the shapes of `cifar10_depth`; the second one is timed."""
    name = f"speed {blocks} {precision} {compiles} {monitors} {settings.seconds_left}"
    size = settings.size
    overrides = (
        *conv(settings, size.images, blocks=blocks, precision=precision),
        *(f"compile={str(compiles).lower()}", f"trainer.max_epochs={MEASURED_EPOCHS}"),
        *(() if monitors else ("callbacks=none",)),
        STOPWATCH,
    )
    run = train(settings, name, overrides)
    epoch = run.epochs[-1]
    return Timed(
        step=epoch.training / epoch.steps,
        steps=epoch.steps,
        validation=epoch.validation,
        between=epoch.between,
        once=run.seconds - MEASURED_EPOCHS * epoch.seconds,
    )


def without_compiling(settings: Settings) -> Iterator[Table]:
    """Every depth in every precision."""
    return _measured(settings, compiles=False)


def compiled(settings: Settings) -> Iterator[Table]:
    """The same with compile=true, as far as the time goes."""
    if not settings.size.compiles:
        settings.findings.leave_out("cifar10_depth with compile=true: the miniature does not compile")
        return iter(())
    return _measured(settings, compiles=True)


def _measured(settings: Settings, *, compiles: bool) -> Iterator[Table]:
    longest = 0.0
    for precision in PRECISIONS:
        for blocks in reversed(settings.size.depths):  # the one that takes longest counts most
            what = f"cifar10_depth, {blocks} blocks, precision={precision}, compile={str(compiles).lower()}"
            reserved = MONITORS_S if compiles else 0.0
            if not settings.has_time_for(what, 1.2 * longest + reserved):
                continue
            before = settings.seconds_left
            _known[precision, compiles, blocks] = timed(settings, blocks=blocks, precision=precision, compiles=compiles)
            longest = max(longest, before - settings.seconds_left)
            yield _by_depth()
            yield _projection(settings)


def _by_depth() -> Table:
    rows: list[list[Cell]] = [
        [precision, str(compiles).lower(), blocks, one.step * 1e3, one.steps, one.validation, one.between, one.once]
        for (precision, compiles, blocks), one in _known.items()
    ]
    note = (
        "The second epoch, ReLU, all monitors on. `once a run`: reading the data, the first epoch's warm-up or "
        "compilation, the pass before training, the tests."
    )
    return Table(TITLE, COLUMNS, rows, note)


def _projection(settings: Settings) -> Table:
    rows: list[list[Cell]] = []
    for precision, compiles in dict.fromkeys((precision, compiles) for precision, compiles, _ in _known):
        depths = {key[2]: one for key, one in _known.items() if key[:2] == (precision, compiles)}
        missing = len(settings.size.depths) - len(depths)
        minutes = None if missing else RUNS_A_DEPTH * sum(one.run_s for one in depths.values()) / 60
        verdicts = [("" if minutes is None else "yes" if minutes < target else "no") for target in TARGETS_MIN]
        rows.append([precision, str(compiles).lower(), len(depths), minutes, *verdicts])
    runs = RUNS_A_DEPTH * len(settings.size.depths)
    note = (
        f"{RUNS_A_DEPTH} runs a depth (two activations, sigmoid counted as ReLU, three seeds), each once a run + "
        f"{EPOCHS} x (steps x step + validation + between epochs), one after the other; start-up of Python not counted."
    )
    title = f"`cifar10_depth`, all {runs} runs one after the other, projected"
    under = [f"under {target} min" for target in TARGETS_MIN]
    return Table(title, ("precision", "compile", "depths measured", "minutes", *under), rows, note)


def monitors(settings: Settings) -> Iterator[Table]:
    """Epochs with all monitors and with none, in turn."""
    rows: list[list[Cell]] = []
    for blocks in (settings.size.depths[0], settings.size.depths[-1]):
        rows.append(_share(f"conv stack, {blocks} blocks, bf16", *_conv_epochs(settings, blocks)))
        yield _monitors_table(rows)
    rows.append(_share("MLP of `mnist_adam`, float32", *_mlp_epochs(settings)))
    yield _monitors_table(rows)


def _conv_epochs(settings: Settings, blocks: int) -> tuple[float, float]:
    found: dict[bool, list[float]] = {True: [], False: []}
    for on in (True, False, True, False):
        one = timed(settings, blocks=blocks, precision="bf16", monitors=on)
        found[on].append(one.steps * one.step + one.validation + one.between)
    return min(found[True]), min(found[False])


def _mlp_epochs(settings: Settings) -> tuple[float, float]:
    found: dict[bool, list[float]] = {True: [], False: []}
    for number, on in enumerate((True, False, True, False)):
        overrides = (*mlp(settings), "trainer.max_epochs=2", *(QUIET if on else ("callbacks=none",)), STOPWATCH)
        found[on].append(train(settings, f"mlp {on} {number}", overrides).epochs[-1].seconds)
    return min(found[True]), min(found[False])


def _share(name: str, on: float, off: float) -> list[Cell]:
    per_cent = 100 * (on / off - 1)
    return [name, on, off, per_cent, "yes" if per_cent <= MONITORS_TARGET else "no"]


def _monitors_table(rows: list[list[Cell]]) -> Table:
    note = "Faster of two epochs each, measured in turn: training, validation, curves and checkpoints."
    columns = ("what", "epoch, s", "without monitors, s", "monitors add, %", f"at most {MONITORS_TARGET:g} %")
    return Table("The monitors' share", columns, rows, note)


def bounds(settings: Settings) -> Iterator[Table]:
    """A step's arithmetic and memory traffic per second, against the ceilings measured here."""
    limits = measured(settings)
    rows: list[list[Cell]] = []
    for precision in PRECISIONS:
        for blocks in (settings.size.depths[0], settings.size.depths[-1]):
            one = _known.get((precision, False, blocks)) or timed(settings, blocks=blocks, precision=precision)
            costs = step_costs(settings, blocks=blocks, precision=precision)
            arithmetic = costs.flops / one.step / limits.products[precision]
            memory = costs.bytes / one.step / limits.copy
            busy = math.nan if costs.busy_s is None else costs.busy_s / one.step
            rates: list[Cell] = [
                costs.flops / one.step / 1e12,
                100 * arithmetic,
                costs.bytes / one.step / 1e12,
                100 * memory,
            ]
            rows.append(
                [precision, blocks, one.step * 1e3, *rates, None if math.isnan(busy) else 100 * busy, _bound(busy)]
            )
            yield _bounds_table(rows)


def _bound(busy: float) -> str:
    """What a step waits for, by the share of it in which the GPU works."""
    if math.isnan(busy):
        return "not measured on a CPU"
    return "the GPU" if busy > 0.8 else "the host, which launches the kernels" if busy < 0.5 else "both"


def _bounds_table(rows: list[list[Cell]]) -> Table:
    columns = ("precision", "blocks", "step, ms", "TFLOP/s", "of the product's, %", "TB/s", "of the copy's, %")
    note = (
        "FLOPs: convolutions and products of forward and backward pass (torch.utils.flop_counter). Bytes: every "
        "operation of a step reads its inputs once and writes its outputs once, an estimate from their sizes. Kernels: "
        "their time in a profile, over the step's."
    )
    return Table("What bounds a step", (*columns, "kernels run, % of the time", "bound by"), rows, note)


WORK: list[tuple[str, float, Work]] = [
    ("the card's ceilings", 10, ceilings),
    ("the thirty runs of cifar10_depth", 20, without_compiling),
    ("what bounds a step", 15, bounds),
    ("the thirty runs of cifar10_depth with compile=true", MONITORS_S + 30, compiled),
    ("the monitors' share", 30, monitors),
]
