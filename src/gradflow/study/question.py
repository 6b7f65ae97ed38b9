"""What a study asks: whatever it varies, as a question."""

from collections.abc import Mapping, Sequence

from gradflow.runs.record import Record
from gradflow.runs.words import activation_words, axis_words, listed, setting_words
from gradflow.study.configurations import identities
from gradflow.study.treatments import ACTIVATION, compared

_WITHOUT_ARTICLE = ("init", "model.norm", "optimizer.weight_decay")


def question(records: Sequence[Record]) -> str:
    """`Does the activation matter as the network gets deeper?`, or whatever else the study varies.

    Args:
        records: run.json of its runs, any state.
    """
    known = list(identities(records).values())
    names = list(dict.fromkeys(one["activation"] for one in known))
    depths = {one["blocks"] for one in known} - {None}
    others = varied_settings(known)
    deeper = " as the network gets deeper" if len(depths) > 1 else ""
    if len(names) > 1:
        what = f"the {axis_words(compared(names))}"
        return f"Does {what} matter{deeper}{_with_settings(others)}?"
    who = activation_words(names[0])
    with_it = f"a network with {who}" if compared(names) == ACTIVATION else who
    if others:
        what = listed([f"{'' if axis in _WITHOUT_ARTICLE else 'the '}{axis_words(axis)}" for axis in others])
        to = f" to {with_it}" if compared(names) == ACTIVATION else ""
        deeper = " as it gets deeper" if to and deeper else deeper
        return f"{'Do' if len(others) > 1 or _is_plural(what) else 'Does'} {what} matter{to}{deeper}?"
    return f"What does depth do to {with_it}?" if deeper else f"How well does {with_it} do?"


def _is_plural(words: str) -> bool:
    """Whether `residual connections`, and not `bias`."""
    return words.endswith("s") and not words.endswith(("as", "is", "ss", "us"))


def varied_settings(known: Sequence[Mapping[str, str]]) -> dict[str, list[str]]:
    """The axes besides activation and depth that vary, with their settings such as `model.norm=none`."""
    settings = dict.fromkeys(part for one in known for part in one["variant"].split(", ") if "=" in part)
    axes: dict[str, list[str]] = {}
    for setting in settings:
        axes.setdefault(setting.partition("=")[0], []).append(setting)
    return axes


def _with_settings(others: Mapping[str, Sequence[str]]) -> str:
    """`, with and without normalisation`, `, whatever the learning rate`; empty if nothing else varies."""
    if not others:
        return ""
    if len(others) == 1:
        axis, settings = next(iter(others.items()))
        words = [setting_words(setting) for setting in settings]
        if axis == "model.norm" and len(words) > 1:
            return ", with and without normalisation" if f"{axis}=none" in settings else f", {listed(words)}"
        if all(map(is_switch, settings)):
            return f", with and without {axis_words(axis)}"
    return f", whatever the {listed([axis_words(axis) for axis in others], last='or')}"


def is_switch(setting: str) -> bool:
    """Whether a setting such as `model.residual=true` turns something on or off."""
    return setting.partition("=")[2].lower() in ("true", "false")
