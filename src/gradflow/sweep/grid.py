"""Every combination that a command line asks for: its own values, and those that its presets sweep over."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hydra.core.override_parser.types import Glob, Override

from gradflow.errors import ConfigError, shown
from gradflow.sweep.compositions import Compositions


def combinations(arguments: Sequence[str], params: Mapping[str, Any], compositions: Compositions) -> list[list[str]]:
    """The overrides of each run, seeds slowest.

    So a sweep that is cut short has something of everything to compare. Otherwise the combinations are those of Hydra's
    own sweeper: the last key varies fastest, and a repeated key takes its last values, at its first place. What a
    preset sweeps over comes before the command line's own values; where presets are themselves swept over, each has
    its own combinations.

    Args:
        arguments: the overrides of the command line, without Hydra's own.
        params: what the preset of the command line sweeps over.
        compositions: of the command line.

    Raises:
        ConfigError: for an interval, and for a key without a value.
    """
    found = list(_expanded(arguments, params, compositions))
    seeds = [next((one for one in combination if one.startswith("seed=")), "") for combination in found]
    rank = {seed: position for position, seed in enumerate(dict.fromkeys(seeds))}
    return [found[at] for at in sorted(range(len(found)), key=lambda at: rank[seeds[at]])]


def _expanded(arguments: Sequence[str], params: Mapping[str, Any], compositions: Compositions) -> Iterator[list[str]]:
    """The combinations in Hydra's order; where options have other `params`, one choice of options after the other."""
    swept = [f"{key}={shown(values)}" for key, values in params.items()]
    choices = _choices([*swept, *arguments], compositions)
    options = {key: values for key, values in choices.items() if compositions.options(values)}
    own = {one: compositions.params(one) for one in itertools.product(*options.values())}
    if all(found == params for found in own.values()):
        yield from map(list, itertools.product(*choices.values()))
        return
    plain = [one for one in arguments if not compositions.options([one])]
    for one, found in own.items():
        yield from _expanded([*one, *plain], found, compositions)


def _choices(overrides: Sequence[str], compositions: Compositions) -> dict[str, list[str]]:
    """Key -> `key=value` for each of its values."""
    choices: dict[str, list[str]] = {}
    for one in map(compositions.parse, overrides):
        key = one.get_key_element()
        values = list(dict.fromkeys(_values(one, compositions)))
        if not values:
            raise ConfigError(f"{one.input_line}: no values; leave it out, or name one, e.g. {key}=1")
        choices[key] = [f"{key}={value}" for value in values]
    return choices


def _values(one: Override, compositions: Compositions) -> list[str]:
    if one.is_interval_sweep():
        raise ConfigError(f"{one.input_line}: an interval has no list of values; use range(start,stop) or a,b,c")
    chosen = one.value()
    if isinstance(chosen, Glob):
        group = one.key_or_group
        return [
            name for name in chosen.filter(compositions.options_of(group)) if compositions.stands_alone(group, name)
        ]
    return list(one.sweep_string_iterator()) if one.is_sweep_override() else [one.get_value_element_as_str()]
