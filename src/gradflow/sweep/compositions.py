"""Every combination of a sweep as its configuration, each choice of options composed once."""

import functools
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NoReturn

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import ConfigAttributeError, ConfigKeyError

from gradflow import invocation
from gradflow.errors import ConfigError, nearest
from gradflow.models import signature
from gradflow.sweep import environment, settings

Choices = dict[str, Any]


class Compositions:
    """Composes what a command line asks for, as Hydra does.

    Args:
        loader: Hydra's, with the search path of the command line.
        config: the configuration that Hydra composed for the whole sweep.
    """

    def __init__(self, loader: ConfigLoader, config: DictConfig) -> None:
        self._loader = loader
        self._config = config
        # Hydra's choices lack a group of which several options are chosen, `callbacks=[default,early_stopping]`.
        self._groups = frozenset((*config.hydra.runtime.choices, *loader.list_groups("")))
        self._of_hydra = [str(one) for one in config.hydra.overrides.hydra]
        parser = OverridesParser.create(config_loader=loader)
        self.parse = functools.cache(lambda override: parser.parse_overrides([override])[0])
        self._composed = functools.cache(self._load)
        self._defaults = functools.cache(self._load_defaults)

    def of_run(self, overrides: Sequence[str]) -> tuple[DictConfig, Choices]:
        """One combination: its configuration and the option chosen in each group.

        Hydra takes 70 ms per composition, so the options are composed once and plain values set on a copy, as Hydra
        does.

        Raises:
            ConfigError: for a key that the chosen options do not have.
        """
        composed, choices, _ = self._composed(self.options(overrides))
        cfg = composed.copy()
        for one in map(self.parse, overrides):
            if self._is_value(one):
                try:
                    OmegaConf.update(cfg, one.key_or_group, one.value(), merge=True)
                except (ConfigAttributeError, ConfigKeyError):
                    self._refuse(one, composed, choices)
        if any("oc.env" in override for override in overrides):
            environment.read_numbers(cfg)
        environment.expand_paths(cfg)
        self._fit_size(cfg, typed={self.parse(one).key_or_group for one in overrides})
        return cfg, choices

    def apart_from_seed(self, overrides: Sequence[str]) -> tuple[int | None, tuple[str, ...]]:
        """The seed, if the overrides set it to a whole number, and the other overrides."""
        seeds = [one for one in overrides if one.startswith("seed=")]
        values = [self.parse(one).value() for one in seeds]
        seed = values[0] if len(values) == 1 and type(values[0]) is int else None
        return seed, tuple(one for one in overrides if one not in seeds)

    def _fit_size(self, cfg: DictConfig, *, typed: Collection[str]) -> None:
        """Make a knob null that the network does not take, unless it was asked for, which is refused later."""
        for knob in signature.KNOBS:
            if knob in typed or knob in cfg.model or _takes(cfg.model, knob):
                continue
            if cfg.get(knob) == self.defaults([])[0].get(knob):
                cfg[knob] = None

    def defaults(self, overrides: list[str]) -> tuple[DictConfig, Choices]:
        """The configuration of these overrides alone, without the rest of the command line but Hydra's own settings."""
        return self._defaults(tuple(overrides))

    def options(self, overrides: Iterable[str]) -> tuple[str, ...]:
        """The overrides that decide which files are composed: all but plain values."""
        return tuple(override for override in overrides if not self._is_value(self.parse(override)))

    def params(self, options: tuple[str, ...]) -> dict[str, Any]:
        """What the presets among these options sweep over, `hydra.sweeper.params`."""
        return self._composed(options)[2]

    def is_group(self, override: Override) -> bool:
        """Whether it chooses the option of a group."""
        return override.key_or_group in self._groups and not (override.is_delete() or override.package)

    def options_of(self, group: str) -> list[str]:
        """The names of a group's options, wherever the command line looks for them."""
        return self._loader.get_group_options(
            group, config_name=self._config.hydra.job.config_name, overrides=self._of_hydra
        )

    def stands_alone(self, group: str, option: str) -> bool:
        """Whether an option can be used as it is: one's own class, for example, has to be named."""
        return not OmegaConf.missing_keys(self._composed((f"{group}={option}",))[0])

    def _is_value(self, override: Override) -> bool:
        """Whether it sets a plain value: no group's option, no addition or deletion, none of Hydra's own keys."""
        key = override.key_or_group
        changes = not (override.is_add() or override.is_force_add() or override.is_delete() or override.package)
        return changes and key not in self._groups and not key.startswith("hydra")

    def _load(self, overrides: tuple[str, ...]) -> tuple[DictConfig, Choices, dict[str, Any]]:
        """The configuration of these options, the option chosen in each group, and what presets sweep over."""
        for one in map(self.parse, overrides):
            if self.is_group(one) and not isinstance(one.value(), str | list | dict):
                known = ", ".join(self.options_of(one.key_or_group))
                raise ConfigError(f"{one.input_line}: no such option (options: {known})")
        composed = self._loader.load_sweep_config(self._config, list(overrides))
        settings.check(settings.of(composed))
        params = OmegaConf.to_container(composed.hydra.sweeper.params, resolve=True)
        assert isinstance(params, dict)
        environment.read_numbers(composed)
        return *_split(composed), {str(key): values for key, values in params.items()}

    def _load_defaults(self, overrides: tuple[str, ...]) -> tuple[DictConfig, Choices]:
        loaded = self._loader.load_configuration(
            config_name=self._config.hydra.job.config_name,
            overrides=[*self._of_hydra, *overrides],
            run_mode=RunMode.RUN,
        )
        environment.read_numbers(loaded)
        return _split(loaded)

    def _refuse(self, override: Override, composed: DictConfig, choices: Choices) -> NoReturn:
        """Say that a key is not there: misspelt, or one that only another option of its group has."""
        key = override.key_or_group
        group, _, rest = key.partition(".")
        option = choices.get(group)
        having = [
            f"{group}={other}"
            for other in (self.options_of(group) if option and rest else [])
            if other != option and _has(self._composed((f"{group}={other}",))[0], key)
        ]
        if having:
            only = f"only {', '.join(having)} {'has' if len(having) == 1 else 'have'} it"
            remedy = f"leave it out, or give {group}={option} a command of its own"
            raise ConfigError(f"{override.input_line}: {group}={option} has no {rest} ({only}); {remedy}")
        hint = nearest(key, _keys(composed)) or f"; {invocation.train('--help')} lists the groups"
        more = f" (an argument that is not listed takes a plus: +{override.input_line})" if rest else ""
        raise ConfigError(f"{override.input_line}: no such key{hint}{more}")


def _takes(model: Mapping[str, Any], knob: str) -> bool:
    """Whether a network's constructor takes a knob; True where that cannot be told, which is refused later."""
    try:
        return knob in signature.arguments(str(model["_target_"]))
    except Exception:  # whatever importing somebody's module raises
        return True


def _split(composed: DictConfig) -> tuple[DictConfig, Choices]:
    choices = OmegaConf.to_container(composed.hydra.runtime.choices)
    assert isinstance(choices, dict)
    with open_dict(composed):
        del composed["hydra"]
    return composed, {str(group): option for group, option in choices.items()}


def _has(cfg: DictConfig, key: str) -> bool:
    return key in _keys(cfg)


def _keys(cfg: DictConfig) -> list[str]:
    """Every key with its dots, groups included."""
    return list(_dotted(OmegaConf.to_container(cfg, resolve=False)))


def _dotted(value: Any, prefix: str = "") -> Iterator[str]:
    for key, item in value.items() if isinstance(value, dict) else ():
        yield f"{prefix}{key}"
        yield from _dotted(item, f"{prefix}{key}.")
