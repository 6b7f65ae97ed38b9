"""The few metrics that answer what an activation does: what a first look shows."""

from collections.abc import Collection

from gradflow.runs import tags

_FLOW = (tags.GAIN_PER_LAYER, tags.FIRST_TO_LAST)  # the second where there is no first
_DEAD = tags.of_layer(tags.DEAD_UNITS, tags.TOTAL)


def of_training(headline: str) -> list[str]:
    """Tags of curves: the headline's on the validation data, training loss, gradient flow, dead units."""
    return list(dict.fromkeys([tags.validation_of(headline), tags.train(tags.LOSS), *_FLOW, _DEAD]))


def at_the_end(headline: str) -> list[str]:
    """Tags of final metrics: the headline, gradient flow, dead units."""
    return list(dict.fromkeys([headline, *_FLOW, _DEAD]))


def among(wanted: list[str], present: Collection[str]) -> list[str]:
    """Those of these tags that there are, with one measure of gradient flow."""
    found = [tag for tag in wanted if tag in present]
    return [tag for tag in found if tag != tags.FIRST_TO_LAST or tags.GAIN_PER_LAYER not in found]
