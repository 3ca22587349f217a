"""Frozen, documented, validated settings.

A component's options are the annotated fields of one frozen dataclass. The command line, TOML files, run records and
the catalogue are derived from these fields, so each option is defined once.

    @dataclass(frozen=True, kw_only=True)
    class MyConfig(EncoderConfig):
        width: Annotated[int, Help("channels of all outputs"), Bounds(min=1)] = 256
"""

from __future__ import annotations

import dataclasses
import math
import numbers
import os
import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Union, get_args, get_origin, get_type_hints

from avelzoo.errors import OptionError, PluginError, did_you_mean

_SCALARS: tuple[type, ...] = (bool, int, float, str, Path)

OPTION_TYPES = (
    "bool, int, float, str, pathlib.Path, Literal of texts, tuple[X, ...] of one of them, or one of them | None"
)
"""Types that options may have."""

_LARGEST = 2**1023
"""Integers from here on cannot be converted to float."""
_SHOWN = 80


@dataclass(frozen=True)
class Help:
    """Help text of an option, in one line, with its unit.

    >>> Help("channels d").text
    'channels d'
    """

    text: str


@dataclass(frozen=True)
class Bounds:
    """Inclusive range of a number (or of every number in a tuple); ``above`` and ``below`` exclude the bound.

    >>> Bounds(min=1, max=8).max
    8
    """

    min: float = -math.inf
    max: float = math.inf
    above: float = -math.inf
    below: float = math.inf

    def accepts(self, value: float) -> bool:
        """Whether ``value`` is finite and within the range."""
        return (
            (isinstance(value, int) or math.isfinite(value))
            and self.min <= value <= self.max
            and self.above < value < self.below
        )

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
    """An option of a config class, for the command line and the catalogue."""

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
    """Base of all settings: validates its values and converts to and from plain data.

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
        """An instance from plain data or command-line text; unknown keys are errors with a suggestion.

        Raises:
            OptionError: a key is unknown, or a value has the wrong type or is out of range.
        """
        known = {option.name: option for option in options(cls)}
        for name in values:
            if name not in known:
                raise OptionError(
                    f"unknown option '{cls.kind}.{name}'" + did_you_mean(name, known),
                    expected=", ".join(known) or "no options",
                    fix=f"`avelzoo show {cls.kind} NAME` lists the options",
                )
        return cls(**{name: coerce(cls.kind, known[name], value) for name, value in values.items()})


_OPTIONS: dict[type[Config], tuple[Option, ...]] = {}


def options(cls: type[Config]) -> tuple[Option, ...]:
    """The options of a config class, in order of definition."""
    if cls not in _OPTIONS:
        hints = get_type_hints(cls, include_extras=True)
        _OPTIONS[cls] = tuple(_option(f, hints[f.name]) for f in dataclasses.fields(cls))
    return _OPTIONS[cls]


def require_free_names(what: str, names: Iterable[str], base: type[Config], *, where: str = "") -> None:
    """Refuse options whose name means something else.

    Args:
        what: whose options they are.
        names: the options' names.
        base: config base of the kind; its own options are free.
        where: where they are defined.

    Raises:
        PluginError: a name starts with an underscore, is ``name``, or is declared by the base.
    """
    own = {option.name for option in options(base)}
    taken = {name for name in dir(base) if not name.startswith("_")} | {"name", "component", "component_name"}
    for name in names:
        if name.startswith("_") or name in taken - own:
            raise PluginError(
                f"{what} cannot have an option called '{name}'",
                where=where,
                expected=f"a name without a leading underscore that is none of {', '.join(sorted(taken - own))}",
            )


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
        if len(get_args(hint)) != 2 or get_args(hint)[1] is not ...:
            raise TypeError(f"option '{f.name}' is a tuple of fixed length, {hint}")
        hint = get_args(hint)[0]
    choices: tuple[str, ...] = ()
    if get_origin(hint) is Literal:
        if not all(isinstance(choice, str) for choice in get_args(hint)):
            raise TypeError(f"option '{f.name}' has choices that are no texts: {hint}")
        choices, hint = tuple(map(str, get_args(hint))), str
    if hint not in _SCALARS:
        raise TypeError(f"option '{f.name}' has the unsupported type {hint}")
    default = f.default if f.default is not dataclasses.MISSING else None
    text = next((m.text for m in meta if isinstance(m, Help)), "")
    bounds = next((m for m in meta if isinstance(m, Bounds)), None)
    return Option(f.name, hint, default, text, bounds, choices, optional, repeated)


def native(value: Any) -> Any:
    """Convert numbers and strings of NumPy, PyTorch or other libraries to Python types.

    Arrays without axes become their value; arrays with one axis and sequences become tuples. Other values stay
    unchanged.
    """
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, str):
        return str.__str__(value)  # the string of a string enum
    axes = getattr(value, "ndim", None)
    if axes == 0 and hasattr(value, "item"):
        item = value.item()
        return item if item is value else native(item)
    if axes == 1 and hasattr(value, "tolist"):
        return tuple(map(native, value.tolist()))
    if isinstance(value, os.PathLike):
        return Path(os.fspath(value))
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview):
        return tuple(map(native, value))
    try:
        return _number(value)
    except (OverflowError, TypeError, ValueError):
        return value


def _number(value: Any) -> Any:
    if isinstance(value, numbers.Integral):
        return int(value)
    return float(value) if isinstance(value, numbers.Real) else value


def checked(path: str, like: type, value: Any, *, bounds: Bounds | None = None, default: Any = None) -> Any:
    """Check and convert a function argument like an option of this type.

    Raises:
        OptionError: the argument has another type or is out of range.
    """
    kind, _, name = path.partition(".")
    return _check(kind, Option(name, like, default, "", bounds, (), optional=False, repeated=False), value)


def coerce(kind: str, option: Option, value: Any) -> Any:
    """Convert ``value`` (command-line text, or a TOML or JSON value) to the option's type.

    Raises:
        OptionError: the value has the wrong type, is out of range or not among the choices.
    """
    value = native(value)
    if value is None or (option.optional and isinstance(value, str) and value.lower() in ("none", "")):
        return None
    if option.repeated:
        items = [v for v in value.split(",") if v.strip()] if isinstance(value, str) else value
        if not isinstance(items, list | tuple):  # text that was split, or a sequence
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
    value = native(value)
    if value is None:
        if option.optional:
            return None
        raise _mismatch(kind, option, value)
    if option.repeated:
        if not isinstance(value, tuple):
            raise _mismatch(kind, option, value)
        return tuple(_check_scalar(kind, option, v) for v in value)
    return _check_scalar(kind, option, value)


def _check_scalar(kind: str, option: Option, value: Any) -> Any:
    if option.type is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value) if abs(value) < _LARGEST else math.inf
    if option.type is Path and isinstance(value, str | Path):
        value = Path(value).expanduser().absolute()  # a run record names the same file from any working directory
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
    shown = " ".join(repr(value).split())
    shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
    return OptionError(
        f"option '{kind}.{option.name}' does not accept {shown}" + hint,
        found=f"{shown} ({type(value).__name__})",
        expected=option.type_name,
        fix=_advice(kind, option),
    )


def _advice(kind: str, option: Option) -> str:
    """Suggested value: the default as an example, if there is one."""
    if option.default is None:
        return f"give {kind}.{option.name} such a value" + (", or remove it" if option.optional else "")
    default = ",".join(map(str, option.default)) if option.repeated else option.default
    return f"give {kind}.{option.name} such a value; its default is {default if default != '' else 'empty'}"


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    return str(value) if isinstance(value, Path) else value
