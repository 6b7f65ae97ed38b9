"""The arguments of the class behind a `_target_`: does it take them, and may they have these values?"""

import inspect
from collections.abc import Mapping
from functools import cache
from typing import Any

from hydra.utils import get_object

from gradflow.data import custom
from gradflow.errors import ConfigError, shown
from gradflow.sweep.checks.schema import NESTED, OWN_ARGUMENTS, NoOption, types
from gradflow.sweep.checks.values import Rule, check_plain
from gradflow.training import build

TARGET = "_target_"
MISSING = "???"
OPTIONAL = ("schedule", "logger")  # groups that may go without a class
OURS = ("gradflow", "torch", "lightning")  # an argument of theirs means what the schema says; of others, who knows


def check(key: str, node: Any, schema: type) -> None:
    """Refuse arguments that the class does not take, which would be ignored or fail late, and wrong values.

    Args:
        key: of the node, dotted, e.g. `optimizer` or `callbacks.pictures`.
        node: the class and its arguments, as plain data.
        schema: what the keys of the package's own options may be.

    Raises:
        ConfigError: naming key, value and remedy.
    """
    if not isinstance(node, Mapping):
        raise ConfigError(f"{key}={shown(node)}: not an option of this group; see python train.py --help")
    target = node.get(TARGET)
    if (not isinstance(target, str) or target == MISSING) and not (target is None and key in OPTIONAL):
        raise ConfigError(f"{key}.{TARGET}={shown(target)}: name a class, e.g. {key}.{TARGET}=package.Class")
    source = node.get("source") if key == "data" else None
    if key == "data" and custom.is_source(target):
        rules, takes_more = _rules_of_own_data(target, schema)
    else:
        if isinstance(source, Mapping):
            _check_nested(f"{key}.source", source)
        rules, takes_more = _rules(key, target, source[TARGET] if isinstance(source, Mapping) else None, schema)
    if target and (missing := schema.__required_keys__ - node.keys()):  # type: ignore[attr-defined]
        raise ConfigError(f"{key}.{min(missing)}: missing; leave ~{key}.{min(missing)} out of the command")
    for name, value in node.items():
        if remedy := OWN_ARGUMENTS.get(key, {}).get(name):
            raise ConfigError(f"{key}.{name}={shown(value)}: gradflow sets it; {remedy}")
        if name in rules:
            _check_value(f"{key}.{name}", value, rules[name])
        elif name != TARGET and not takes_more:
            takes = ", ".join(one for one in rules if one != "name") or "no arguments"
            raise ConfigError(
                f"{key}.{name!s}={shown(value)}: {shown(target)} takes {takes}; leave it out (~{key}.{name!s})"
            )
        check_plain(f"{key}.{name}", value)


def _check_value(key: str, value: Any, rule: Rule) -> None:
    """Check a plain value, or the arguments of what is to be built in its place."""
    nested = value if isinstance(value, list) else [value]
    for node in (one for one in nested if isinstance(one, Mapping) and TARGET in one):
        _check_nested(key, node)
    if not any(isinstance(one, Mapping) and TARGET in one for one in nested):
        rule.check(key, value)


def _check_nested(key: str, node: Mapping[str, Any]) -> None:
    """Refuse wrong arguments of an object that is itself an argument; Hydra's own keys say how it is built."""
    if key == "data.source" and node.get("_partial_") is not True:
        raise ConfigError(f"{key}._partial_={shown(node.get('_partial_'))}: the data are read later; use true")
    own = {name: value for name, value in node.items() if name not in ("_partial_", "_convert_")}
    check(key, own, NESTED.get(key, NoOption))


@cache
def _rules(key: str, target: str | None, source: str | None, schema: type) -> tuple[dict[str, Rule], bool]:
    """Each argument's rule, in the order of the signature, and whether the class takes any other argument.

    A data module passes what it does not know on to its `source`.
    """
    known = types(schema)
    annotations, takes_more = _annotations(key, target, known)
    if takes_more and source is not None:
        passed_on, takes_more = _annotations(f"{key}.source", source, known)
        annotations = passed_on | annotations
    ours = ("name", *schema.__required_keys__, *(build.WHEN if target and key == "schedule" else ()))  # type: ignore[attr-defined]
    always = {name: known[name] for name in ours if name in known}
    return {name: Rule(annotation) for name, annotation in (annotations | always).items()}, takes_more


def _rules_of_own_data(target: str | None, schema: type) -> tuple[dict[str, Rule], bool]:
    """The same for a function or a Dataset class that is the source of a data module: see `gradflow.data.custom`."""
    module, _ = _rules("data", custom.MODULE, custom.READER, schema)
    own, takes_more = _annotations("data", target, {})
    rules = {name: Rule(annotation) for name, annotation in own.items()}
    return rules | {name: rule for name, rule in module.items() if name not in ("source", "target")}, takes_more


def _annotations(key: str, target: str | None, known: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """The type of each argument of a class or function, and whether it takes any other."""
    if target is None:
        return {}, False
    parameters = _parameters(key, target)
    if parameters is None:  # written in C, without a signature: what the schema lacks, it checks when it is built
        return dict(known), True
    known = known if target.partition(".")[0] in OURS else {}
    named = [one for one in parameters.values() if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)]
    annotations = {one.name: known.get(one.name, _annotation(one)) for one in named}
    return annotations, any(one.kind is one.VAR_KEYWORD for one in parameters.values())


def _annotation(parameter: inspect.Parameter) -> Any:
    if parameter.annotation is parameter.empty or isinstance(parameter.annotation, str):
        return Any
    try:
        return parameter.annotation | None if parameter.default is None else parameter.annotation
    except TypeError:  # no type
        return Any


def _parameters(key: str, target: str) -> Mapping[str, inspect.Parameter] | None:
    """The parameters of what a target names, their annotations evaluated if that is possible; None if unknown."""
    try:
        thing = get_object(target)
    except Exception as error:
        reason = str(error.__cause__ or error).splitlines()[0]
        raise ConfigError(
            f"{key}.{TARGET}={shown(target)}: cannot be imported ({shown(reason)}); check the name"
        ) from error
    if not callable(thing):
        raise ConfigError(f"{key}.{TARGET}={shown(target)}: is no class; check the name")
    for evaluate in (True, False):
        try:
            return inspect.signature(thing, eval_str=evaluate).parameters
        except Exception:  # whatever evaluating somebody's annotations raises
            continue
    return None
