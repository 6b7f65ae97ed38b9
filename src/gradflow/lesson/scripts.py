"""The page's JavaScript: which files, in which order."""

from pathlib import Path

from markupsafe import Markup

FOLDER = Path(__file__).parent / "script"
# Computes and touches no page, remote.js apart: the same text runs in the page and in its worker.
ENGINE = (
    "namespace.js",
    "engine/erf.js",
    "engine/formulas.js",
    "engine/loops.js",
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
    "page/wishes.js",
    "page/navigation.js",
    "page/projector.js",
    "page/questions.js",
    # Plots, with which the playground and the explorer draw.
    "drawing/numbers.js",
    "drawing/axis.js",
    "drawing/plot.js",
    # The playground, small and whole.
    "playground/element.js",
    "playground/canvas.js",
    "playground/menu.js",
    "playground/words.js",
    "playground/findings.js",
    "playground/presets.js",
    "playground/address.js",
    "playground/networks.js",
    "playground/key.js",
    "playground/region.js",
    "playground/loss.js",
    "playground/gradients.js",
    "playground/message.js",
    "playground/slopes.js",
    "playground/units.js",
    "playground/pictures.js",
    "playground/run.js",
    "playground/visibility.js",
    "playground/controls.js",
    "playground/situations.js",
    "playground/buttons.js",
    "playground/verdict.js",
    "playground/live.js",
    "playground/places.js",
    "playground/playground.js",
    "page/charts.js",
    # The explorer.
    "explorer/chosen.js",
    "explorer/known.js",
    "explorer/slope_words.js",
    "explorer/curves.js",
    "explorer/parameters.js",
    "explorer/reading.js",
    "explorer/explorer.js",
    "explorer/code.js",
    # The tree, the quiz, the cheat sheet.
    "choice/tree.js",
    "choice/quiz.js",
    "choice/cheat_sheet.js",
    "page/start.js",  # last: it starts the others
)


def engine() -> Markup:
    return _joined(ENGINE)


def page() -> Markup:
    return _joined(PAGE)


def _joined(files: tuple[str, ...]) -> Markup:
    return Markup("\n".join((FOLDER / file).read_text(encoding="utf-8") for file in files))
