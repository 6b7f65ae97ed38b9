"""One value against one type: is it legal, and if not, what does the key need?"""

import json
import types
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import ConfigDict, PydanticUndefinedAnnotation, PydanticUserError, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from gradflow.errors import ConfigError, is_whole, shown

# A configuration is like JSON: a list may stand for a tuple and 1 for 1.0, but neither true for 1 nor "1" for 1.
_STRICT = ConfigDict(strict=True, allow_inf_nan=False, arbitrary_types_allowed=True)
_LARGEST_FLOAT = 3.4e38  # of float32, in which training computes
_LARGEST_WHOLE = 2**63 - 1
_LONGEST_TEXT = 1000  # characters, more than any path that people use
_CONTROL = ("Cc", "Cs", "Zl", "Zp")  # categories: control characters, halves of pairs, line and paragraph separators
_WORDS = {int: "a whole number", float: "a number", str: "a text", bool: "true or false", type(None): "null"}
_LIMITS = {"ge": "of at least", "gt": "above", "lt": "below"}


class Rule:
    """What a key may be.

    Args:
        annotation: a type, as in a signature, perhaps with pydantic's limits.
    """

    def __init__(self, annotation: Any) -> None:
        self._annotation = annotation
        self._adapter: TypeAdapter | None
        try:
            self._adapter = TypeAdapter(annotation, config=_STRICT)
        except (PydanticUserError, PydanticUndefinedAnnotation):  # not a type that data can be checked against
            self._adapter = None

    @property
    def checks(self) -> bool:
        """Whether the annotation is a type that plain data can be checked against."""
        return self._adapter is not None

    def check(self, key: str, value: Any) -> None:
        """Refuse a value that the key may not have.

        Args:
            key: as typed on the command line.
            value: plain data: texts, numbers, booleans, None, lists and dictionaries.

        Raises:
            ConfigError: naming key, value and remedy.
        """
        try:
            if self._adapter is not None:
                self._adapter.validate_json(json.dumps(value), strict=True)
        except ValidationError as error:
            needs = f"{_needs(self._annotation, error)}{_example(key, self._annotation, value)}"
            raise ConfigError(f"{key}={shown(value)}: {needs}") from error
        check_plain(key, value)


def check_plain(key: str, value: Any) -> None:
    """Refuse what no key may hold, whatever its type.

    Raises:
        ConfigError: for NaN, infinities, numbers that neither float32 nor 64 bits hold, control characters, and texts
            without end.
    """
    for leaf in _leaves(value):
        if isinstance(leaf, str) and any(unicodedata.category(letter) in _CONTROL for letter in leaf):
            raise ConfigError(f"{key}={shown(value)}: holds a control character or a line break; leave it out")
        if isinstance(leaf, str) and len(leaf) > _LONGEST_TEXT:
            raise ConfigError(f"{key}={shown(value)}: needs at most {_LONGEST_TEXT:,} characters")
        if isinstance(leaf, float) and not abs(leaf) <= _LARGEST_FLOAT:
            raise ConfigError(f"{key}={shown(value)}: needs a finite number, at most {_LARGEST_FLOAT:g}")
        if is_whole(leaf) and abs(leaf) > _LARGEST_WHOLE:
            raise ConfigError(f"{key}={shown(value)}: needs a number that 64 bits can hold")


def _leaves(value: Any) -> Iterator[Any]:
    """Every number, text, boolean and None, keys included."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from (name, *_leaves(item))
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def _needs(annotation: Any, error: ValidationError) -> str:
    faults = {fault["type"]: fault for fault in error.errors(include_url=False, include_input=False)}
    most = faults["less_than_equal"]["ctx"]["le"] if "less_than_equal" in faults else None
    if most is not None and (most > 1 or _parts(annotation)[0] is float):  # of a share and a count, the count's
        return f"needs at most {most:,.10g}"
    if too_long := faults.get("string_too_long"):
        return f"needs at most {too_long['ctx']['max_length']} characters"
    if "finite_number" in faults:
        return "needs a finite number"
    words = _words(annotation)
    return f"choose {words}" if words.startswith(("one of", "true")) else f"needs {words}"


def _words(annotation: Any) -> str:
    """A type in words, e.g. `a whole number of at least 1`."""
    kind, facts = _parts(annotation)
    if "title" in facts:
        return facts["title"]
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        choices = [choice for choice in get_args(kind) if choice is not type(None)]  # whoever may leave it out knows
        return " or ".join(dict.fromkeys(map(_words, choices)))
    if origin is Literal:
        return f"one of {', '.join(map(shown, get_args(kind)))}"
    if kind in _WORDS:
        limits = [f"{words} {facts[limit]:g}" for limit, words in _LIMITS.items() if limit in facts]
        return " ".join([_WORDS[kind], " and ".join(limits)]).strip()
    name = getattr(origin or kind, "__name__", str(kind))
    return f"a {name}"


def _example(key: str, annotation: Any, value: Any) -> str:
    """`, e.g. key=value` with a legal value; empty if none is known."""
    kind, facts = _parts(annotation)
    choices = get_args(kind) if get_origin(kind) in (Union, types.UnionType) else [annotation]
    for part, own in [(kind, facts), *map(_parts, choices)]:
        if examples := own.get("examples"):
            return f", e.g. {key}={examples[0]}"
        if part is int and "ge" in own:
            is_meant = isinstance(value, float) and value.is_integer() and own["ge"] <= value <= own["le"]
            return f", e.g. {key}={int(value) if is_meant else max(2, own['ge'])}"
    return ""


def _parts(annotation: Any) -> tuple[Any, dict[str, Any]]:
    """A type without its `Annotated`, and what that says: limits, title, examples."""
    if get_origin(annotation) is not Annotated:
        return annotation, {}
    kind, *fields = get_args(annotation)
    facts: dict[str, Any] = {}
    for field in (one for one in fields if isinstance(one, FieldInfo)):
        said = [(field, ("title", "examples")), *((limit, ("ge", "gt", "le", "lt")) for limit in field.metadata)]
        for one, names in said:
            facts |= {name: value for name in names if (value := getattr(one, name, None)) is not None}
    return kind, facts
