"""Frozen, documented, validated settings: the only form in which options exist.

A component's options are the annotated fields of one frozen dataclass. The command line, TOML files, run records
and the catalogue are all read off those fields, so an option is written once.

    @dataclass(frozen=True, kw_only=True)
    class MyConfig(EncoderConfig):
        width: Annotated[int, Help("channels of all outputs"), Bounds(min=1)] = 256
"""

from __future__ import annotations

import dataclasses
import math
import types
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Union, get_args, get_origin, get_type_hints

from avelzoo.errors import OptionError
from avelzoo.suggest import did_you_mean

_SCALARS: tuple[type, ...] = (bool, int, float, str, Path)


@dataclass(frozen=True)
class Help:
    """One line on what an option does, in units where there are any."""

    text: str


@dataclass(frozen=True)
class Bounds:
    """Inclusive range of a number (or of every number in a tuple); ``above`` and ``below`` exclude the end itself."""

    min: float = -math.inf
    max: float = math.inf
    above: float = -math.inf
    below: float = math.inf

    def accepts(self, value: float) -> bool:
        """Whether ``value`` is finite and inside."""
        return math.isfinite(value) and self.min <= value <= self.max and self.above < value < self.below

    def __str__(self) -> str:
        parts = []
        if self.min > -math.inf:
            parts.append(f">= {self.min:g}")
        if self.above > -math.inf:
            parts.append(f"> {self.above:g}")
        if self.max < math.inf:
            parts.append(f"<= {self.max:g}")
        if self.below < math.inf:
            parts.append(f"< {self.below:g}")
        return " and ".join(parts)


@dataclass(frozen=True)
class Option:
    """One option of a config class, as the command line and the catalogue see it."""

    name: str
    type: type
    default: Any
    help: str
    bounds: Bounds | None
    choices: tuple[str, ...]
    optional: bool
    repeated: bool

    @property
    def type_name(self) -> str:
        """The type in words: 'int', 'one of a, b', 'list of int'."""
        name = "one of " + ", ".join(self.choices) if self.choices else self.type.__name__.lower()
        name = f"list of {name}" if self.repeated else name
        name = f"{name} {self.bounds}" if self.bounds else name
        return f"{name}, or none" if self.optional else name


@dataclass(frozen=True, kw_only=True)
class Config:
    """Base of all settings: checks itself when made, and goes to plain data and back.

    Raises:
        OptionError: a value has the wrong type or is out of range.
    """

    kind: ClassVar[str] = "config"

    def __post_init__(self) -> None:
        for option in options(type(self)):
            object.__setattr__(self, option.name, _check(self.kind, option, getattr(self, option.name)))

    def to_dict(self) -> dict[str, Any]:
        """All values as plain data (paths as text, tuples as lists)."""
        return {option.name: _plain(getattr(self, option.name)) for option in options(type(self))}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Any:
        """An instance from plain data or command-line text; unknown keys are errors with a suggestion."""
        known = {option.name: option for option in options(cls)}
        for name in values:
            if name not in known:
                raise OptionError(
                    f"unknown option '{cls.kind}.{name}'" + did_you_mean(name, known),
                    expected=", ".join(known) or "no options",
                    fix=f"see `avelzoo show {cls.kind} NAME` for what each option does",
                )
        return cls(**{name: coerce(cls.kind, known[name], value) for name, value in values.items()})


_OPTIONS: dict[type[Config], tuple[Option, ...]] = {}


def options(cls: type[Config]) -> tuple[Option, ...]:
    """The options of a config class, in order of definition."""
    if cls not in _OPTIONS:
        hints = get_type_hints(cls, include_extras=True)
        _OPTIONS[cls] = tuple(_option(f, hints[f.name]) for f in dataclasses.fields(cls))
    return _OPTIONS[cls]


def _option(f: dataclasses.Field[Any], hint: Any) -> Option:
    meta: tuple[Any, ...] = ()
    if get_origin(hint) is Annotated:
        hint, *rest = get_args(hint)
        meta = tuple(rest)
    optional = False
    if get_origin(hint) in (Union, types.UnionType):
        members = [m for m in get_args(hint) if m is not type(None)]
        if len(members) != 1:
            raise TypeError(f"option '{f.name}' mixes types: {hint}")
        optional, hint = True, members[0]
    repeated = get_origin(hint) is tuple
    if repeated:
        hint = get_args(hint)[0]
    choices: tuple[str, ...] = ()
    if get_origin(hint) is Literal:
        choices, hint = tuple(map(str, get_args(hint))), str
    if hint not in _SCALARS:
        raise TypeError(f"option '{f.name}' has the unsupported type {hint}")
    default = f.default if f.default is not dataclasses.MISSING else None
    text = next((m.text for m in meta if isinstance(m, Help)), "")
    bounds = next((m for m in meta if isinstance(m, Bounds)), None)
    return Option(f.name, hint, default, text, bounds, choices, optional, repeated)


def coerce(kind: str, option: Option, value: Any) -> Any:
    """``value`` (text from the command line, or a TOML or JSON value) as the option's own type."""
    if value is None or (option.optional and isinstance(value, str) and value.lower() in ("none", "")):
        return None
    if option.repeated:
        items = [v for v in value.split(",") if v.strip()] if isinstance(value, str) else value
        if not isinstance(items, list | tuple):
            raise _mismatch(kind, option, value)
        return tuple(_scalar(kind, option, v) for v in items)
    return _scalar(kind, option, value)


def _scalar(kind: str, option: Option, value: Any) -> Any:
    if option.type is bool and isinstance(value, str):
        words = {
            "true": True,
            "yes": True,
            "on": True,
            "1": True,
            "false": False,
            "no": False,
            "off": False,
            "0": False,
        }
        if value.lower() not in words:
            raise _mismatch(kind, option, value)
        return words[value.lower()]
    if option.type in (int, float) and isinstance(value, str):
        try:
            return option.type(value.replace("_", ""))
        except ValueError:
            raise _mismatch(kind, option, value) from None
    if option.type is Path and isinstance(value, str):
        return Path(value)
    return value


def _check(kind: str, option: Option, value: Any) -> Any:
    if value is None:
        if option.optional:
            return None
        raise _mismatch(kind, option, value)
    if option.repeated:
        if not isinstance(value, tuple | list):
            raise _mismatch(kind, option, value)
        return tuple(_check_scalar(kind, option, v) for v in value)
    return _check_scalar(kind, option, value)


def _check_scalar(kind: str, option: Option, value: Any) -> Any:
    if option.type is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if option.type is Path and isinstance(value, str):
        value = Path(value)
    wrong_type = not isinstance(value, option.type) or (option.type is not bool and isinstance(value, bool))
    if wrong_type or (option.choices and value not in option.choices):
        raise _mismatch(kind, option, value)
    if option.type is float and not math.isfinite(value):
        raise _mismatch(kind, option, value)
    if option.bounds is not None and not option.bounds.accepts(value):
        raise _mismatch(kind, option, value)
    return value


def _mismatch(kind: str, option: Option, value: Any) -> OptionError:
    hint = did_you_mean(str(value), option.choices) if option.choices else ""
    return OptionError(
        f"option '{kind}.{option.name}' does not accept {value!r}" + hint,
        found=f"{value!r} ({type(value).__name__})",
        expected=option.type_name,
        fix=option.help,
    )


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    return str(value) if isinstance(value, Path) else value
