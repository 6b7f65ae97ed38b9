"""The page's JavaScript: which files, in which order."""

from pathlib import Path

from markupsafe import Markup

FOLDER = Path(__file__).parent / "script"
# Computes and touches no page, remote.js apart: the same text runs in the page and in its worker.
ENGINE = (
    "namespace.js",
    "engine/erf.js",
    "engine/formulas.js",
    "engine/activations.js",
    "engine/gain.js",
    "engine/largest_slope.js",
    "engine/random.js",
    "engine/datasets.js",
    "engine/settings.js",
    "engine/initialisation.js",
    "engine/linear.js",
    "engine/normalisation.js",
    "engine/loss.js",
    "engine/optimizers.js",
    "engine/network.js",
    "engine/measures.js",
    "engine/batches.js",
    "engine/trainee.js",
    "engine/evaluation.js",
    "engine/session.js",
    "engine/player.js",
    "engine/worker.js",
    "engine/remote.js",
)
PAGE = (
    "page/data.js",
    "page/questions.js",
    "page/charts.js",
    "page/start.js",  # last: it starts the others
)


def engine() -> Markup:
    return _joined(ENGINE)


def page() -> Markup:
    return _joined(PAGE)


def _joined(files: tuple[str, ...]) -> Markup:
    return Markup("\n".join((FOLDER / file).read_text(encoding="utf-8") for file in files))
