"""Whether the rules about gradients hold in a run: exploding, vanishing, fading. As in `judgements`."""

import numpy as np

from gradflow.advise.measured_run import MeasuredRun, NotJudged, Sighting
from gradflow.runs import health, tags

FADING = 0.5  # gain per layer: the gradient halves from layer to layer
FEWEST_LAYERS = 3  # hidden ones, for a slope over the layers


def exploding(run: MeasuredRun) -> Sighting | None:
    """The norm of the whole gradient, averaged over an epoch, is above the threshold of the warning."""
    if tags.GRAD_NORM_TOTAL not in run.curves:
        raise NotJudged(f"{tags.GRAD_NORM_TOTAL} was not recorded")
    norm_E = run.epoch_means(tags.GRAD_NORM_TOTAL)
    if not np.isfinite(norm_E).any():
        raise NotJudged(f"{tags.GRAD_NORM_TOTAL} was never finite")
    worst = int(np.nanargmax(norm_E))
    norm = float(norm_E[worst])
    if norm <= health.EXPLODING_NORM:
        return None
    evidence = f"{tags.GRAD_NORM_TOTAL} averages {norm:.1e} over epoch {worst + 1}{run.lr}"
    return Sighting(norm, f"{norm:.1e}", evidence)


def vanishing(run: MeasuredRun) -> Sighting | None:
    """A hidden layer's gradient is next to nothing compared with the largest layer's, averaged over an epoch."""
    layers = run.layers(tags.GRAD_RMS, hidden=False)
    rms_LE = np.stack([run.epoch_means(tags.of_layer(tags.GRAD_RMS, layer)) for layer in layers])
    hidden = run.layers(tags.GRAD_RMS)
    hidden_LE = rms_LE[[layers.index(layer) for layer in hidden]]
    known = np.flatnonzero(np.isfinite(rms_LE).all(axis=0))
    if not len(known):
        raise NotJudged(f"{tags.GRAD_RMS} was never finite in all layers")
    largest_E, smallest_E = rms_LE[:, known].max(axis=0), hidden_LE[:, known].min(axis=0)
    ratio_E = np.divide(smallest_E, largest_E, out=np.zeros(len(known)), where=largest_E > 0)
    worst = int(np.argmin(ratio_E))
    ratio = float(ratio_E[worst])
    if ratio >= health.VANISHING_RATIO:
        return None
    epoch = int(known[worst])
    layer = hidden[int(np.argmin(hidden_LE[:, epoch]))]
    evidence = f"{layer} gets {ratio:.1e} of the largest layer's gradient (rms) in epoch {epoch + 1}"
    if worst != len(known) - 1:
        evidence += f", the smallest hidden layer {ratio_E[-1]:.1e} in the last"
    return Sighting(-ratio, f"{ratio:.1e}", evidence + _gain_text(run))


def fading(run: MeasuredRun) -> Sighting | None:
    """The gradient halves, or worse, from layer to layer on its way to the input, though it has not vanished yet."""
    hidden = run.layers(tags.GRAD_RMS)
    if len(hidden) < FEWEST_LAYERS or vanishing(run) is not None:
        return None
    gain = _gain(run)
    if gain is None:
        raise NotJudged(f"{tags.GAIN_PER_LAYER} was not recorded")
    if gain >= FADING:
        return None
    # The first of L layers gets gain^(L - 1) of the last one's gradient.
    deepest = int(np.floor(np.log(health.VANISHING_RATIO) / np.log(gain))) + 2
    evidence = (
        f"each layer passes on {gain:.2g} of the gradient, on average over training; at that rate it vanishes with "
        f"{deepest} layers or more"
    )
    return Sighting(-gain, f"{gain:.2g}", evidence)


def _gain(run: MeasuredRun) -> float | None:
    """`grad_flow/gain_per_layer`, the geometric mean over all steps at which it is finite."""
    if tags.GAIN_PER_LAYER not in run.curves:
        return None
    values = run.curves[tags.GAIN_PER_LAYER].values
    finite = values[np.isfinite(values) & (values > 0)]
    return float(10.0 ** np.log10(finite).mean()) if len(finite) else None


def _gain_text(run: MeasuredRun) -> str:
    gain = _gain(run)
    return "" if gain is None else f"; each layer passes on {gain:.2g} of it, on average over training"
