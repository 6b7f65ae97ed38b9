"""The Conv-BatchNorm-ReLU stack on images of CIFAR-10's shape: steps compared with the bare loop, and monitors."""

from collections.abc import Callable
from statistics import median

from benchmark_data import PHOTOS
from comparison_rows import (
    Measurement,
    Samples,
    alternate,
    at_most,
    compare,
    costs,
    duration,
    faster,
    figures,
    of_epochs,
    of_script,
    of_steps,
)
from settings import Settings

STEPS = PHOTOS[0] // 128  # per epoch of the random images
WARM_UP = 2  # steps left out
FEW = 2  # rounds, where one takes minutes
BARE, TEXTBOOK, WITHOUT = "bare loop, channels_last", "textbook script", "without monitors"
COMPILED = "compile=true"
WITHOUT_STATISTICS = "batch_norm=running"
CIFAR_STEPS = 390  # of 128 images, in an epoch of CIFAR-10
PRECISIONS = {"float32": "32", "bf16": "bf16"}  # the bare loop's word and gradflow's

Competitors = dict[str, Callable[[], Measurement]]


def overrides(settings: Settings, blocks: int) -> tuple[str, ...]:
    """`experiment=cifar10_depth` on the random images."""
    data = ("data=npz", f"data.path={settings.photos}", "data.batch_size=128", "data.validation=test")
    options = ("data.validation_size=null", "data.pixel_range=[-1.0,1.0]")
    return ("activation=relu", f"blocks={blocks}", "seed=0", *data, *options)


def steps(settings: Settings, *, blocks: int, precision: str) -> list[list[str]]:
    """A training step compared with the bare loop's; in float32, with the textbook's too."""
    ours = (*overrides(settings, blocks), f"precision={PRECISIONS[precision]}", "trainer.max_epochs=2")
    shared = ("--blocks", str(blocks), "--steps", str(2 * STEPS))
    competitors: Competitors = {
        "gradflow": lambda: of_steps(settings.train(*ours)),
        COMPILED: lambda: of_steps(settings.train(*ours, "compile=true")),
        BARE: lambda: of_script(
            settings.script("bare_loops.py", "conv", *shared, "--precision", precision), skip=WARM_UP
        ),
    }
    if precision == "float32":
        competitors[TEXTBOOK] = lambda: of_script(
            settings.script("textbook_cifar_conv.py", "--blocks", str(blocks), "--steps", "4"), skip=WARM_UP
        )
    samples = alternate(f"conv stack, {blocks} blocks, {precision}", competitors, rounds=settings.rounds)
    name = f"conv stack, {blocks} block{'s' if blocks > 1 else ''}, {precision}, per step"
    rows = [compare(name, samples, "gradflow", BARE, at_most(1.1))]
    if TEXTBOOK in competitors:
        rows.append(compare(name, samples, "gradflow", TEXTBOOK, faster()))
    return [*rows, *_compilation(name, samples)]


def _compilation(name: str, samples: Samples) -> list[list[str]]:
    """What a compiled step saves, and after how many steps compilation pays for itself."""
    rows = [compare(f"{name}, compiled", samples, COMPILED, "gradflow", at_most())]
    if COMPILED not in samples.refused:
        took = samples.start_up(COMPILED) - samples.start_up("gradflow")
        saved = samples.seconds("gradflow") - samples.seconds(COMPILED)
        rows.append(
            figures(
                "compilation itself",
                duration(took),
                f"pays for itself after {took / saved:.0f} steps" if saved > 0 else "never pays for itself",
            )
        )
    return rows


def monitors(settings: Settings, *, blocks: int, epochs: int) -> list[list[str]]:
    """Epochs of a few steps, with as many validation images per training image as in CIFAR-10."""
    ours = (*overrides(settings, blocks), f"trainer.max_epochs={epochs}")
    competitors: Competitors = {
        "gradflow": lambda: of_epochs(settings.train(*ours)),
        WITHOUT: lambda: of_epochs(settings.train(*ours, "callbacks=none")),
    }
    samples = alternate(f"monitors, {blocks} blocks", competitors, rounds=min(FEW, settings.rounds))
    name = (
        f"monitors, all on, conv stack, {blocks} blocks, per epoch of {STEPS} steps and {PHOTOS[1]} validation images"
    )
    return [compare(name, samples, "gradflow", WITHOUT, at_most(1.05))]


def precise_batch_norm(settings: Settings) -> list[list[str]]:
    """Recomputing batch normalisation's statistics, once per epoch, compared with the rest of the epoch."""
    digits = ("activation=relu", "blocks=8", "seed=0", "trainer.max_epochs=3")
    photos = (*overrides(settings, 8), "trainer.max_epochs=2")
    by_epoch = alternate(
        "epochs", {"gradflow": lambda: of_epochs(settings.train(*digits, WITHOUT_STATISTICS))}, rounds=settings.rounds
    )
    by_step = alternate(
        "steps", {"gradflow": lambda: of_steps(settings.train(*photos))}, rounds=min(FEW, settings.rounds)
    )
    rows = []
    for name, ours, seconds, of, most in (
        ("the digits", digits, by_epoch.seconds("gradflow"), "an epoch", 0.15),
        ("images of CIFAR-10's size", photos, CIFAR_STEPS * by_step.seconds("gradflow"), f"{CIFAR_STEPS} steps", 0.02),
    ):
        own = median(settings.clocked(*ours)["recomputation"] for _ in range(min(FEW, settings.rounds)))
        what = f"batch normalisation's statistics recomputed, once per epoch, conv stack on {name}, 8 blocks"
        rows.append(costs(what, own, seconds, of, at_most(most)))
    return rows
