"""How a setting is declared, read from text and checked: what `rag.settings` is made of.

Dataclasses and eighty lines, for a library that validates takes a quarter of a second to begin, in every
command.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

_TRUE, _FALSE = ("true", "1", "yes", "on"), ("false", "0", "no", "off")


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A text that is shown only to who asks for it by name: never in a log, a record or a message."""

    _value: str

    def get_secret_value(self) -> str:
        """The text."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__


def setting(
    default: Any,
    help: str,
    *,
    variable: str = "",
    least: float | None = None,
    above: float | None = None,
    most: float | None = None,
) -> Any:
    """A field of `Settings`: its default, what it is for, its environment variable where that does not
    follow from the name, and the numbers that it takes, `above` being itself too small."""
    bounds = {"least": least, "above": above, "most": most}
    return dataclasses.field(default=default, metadata={"help": help, "variable": variable, **bounds})


def read(value: object, kind: Any, bounds: Any) -> object:
    """A value as the annotation `kind` of its field says, which is None or a type that can be text.

    Raises ValueError, saying what is wrong with it.

    >>> read("8", int | None, {"least": 1})
    8
    """
    kinds = [each for each in get_args(kind) or (kind,) if each is not type(None)]
    if get_origin(kind) is Literal:
        return _one_of(value, get_args(kind))
    if value is None and len(kinds) < len(get_args(kind)):
        return None
    found = _READERS[kinds[0]](value)
    if isinstance(found, int | float):
        _check(found, bounds)
    return found


def _one_of(value: object, known: tuple[str, ...]) -> object:
    if value not in known:
        raise ValueError(f"{value!r} is none of {', '.join(known)}")
    return value


def _check(number: float, bounds: Any) -> None:
    least, above, most = (bounds.get(name) for name in ("least", "above", "most"))
    if least is not None and number < least:
        raise ValueError(f"{number} is less than {least}")
    if above is not None and number <= above:
        raise ValueError(f"{number} is not more than {above}")
    if most is not None and number > most:
        raise ValueError(f"{number} is more than {most}")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no text")
    return value


def _path(value: object) -> Path:
    return value if isinstance(value, Path) else Path(_text(value))


def _secret(value: object) -> Secret:
    return value if isinstance(value, Secret) else Secret(_text(value))


def _whole(value: object) -> int:
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            raise ValueError(f"{value!r} is no whole number") from None
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError(f"{value!r} is no whole number")


def _number(value: object) -> float:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if math.isfinite(number):
            return number
    raise ValueError(f"{value!r} is no number")


def _truth(value: object) -> bool:
    word = value.strip().lower() if isinstance(value, str) else value
    if word is True or word in _TRUE:
        return True
    if word is False or word in _FALSE:
        return False
    raise ValueError(f"{value!r} is neither true nor false")


_READERS = {str: _text, Path: _path, Secret: _secret, int: _whole, float: _number, bool: _truth}
