"""Overrides: values by ``slot.option`` that replace a recipe's values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from avelzoo.components import KINDS
from avelzoo.composition.recipe import MOVED, SLOTS
from avelzoo.config import Config, coerce, native, options
from avelzoo.errors import OptionError, UsageError, did_you_mean


@dataclass(frozen=True)
class Override:
    """A value with its source; ``path`` is ``slot.option``."""

    path: str
    value: Any
    source: str

    def __post_init__(self) -> None:
        if not isinstance(self.path, str):
            raise UsageError(
                "the name of an option is not a string",
                where=self.source,
                found=repr(self.path),
                expected="slot.option, such as memory.size",
            )

    @classmethod
    def parse(cls, text: str, source: str = "--set") -> Override:
        """Parse ``slot.option=value``.

        Raises:
            UsageError: the text has no ``=`` or no slot.
        """
        path, equals, value = text.partition("=")
        if not equals or path.count(".") != 1:
            raise UsageError(
                f"cannot read the setting '{text}'",
                expected="slot.option=value, for example memory.size=8",
                fix=f"start with the slot: {', '.join(SLOTS)}",
            )
        return cls(path.strip(), value.strip(), source)

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any] | None, source: str) -> tuple[Override, ...]:
        """One override per value of the argument ``options`` of a Python call.

        Raises:
            UsageError: the argument is not a mapping, or a name is not a string.
        """
        if not isinstance(values or {}, Mapping):
            raise UsageError(
                "the options are not a mapping",
                found=f"{values!r}"[:80],
                expected='values by slot.option, such as {"memory.size": 8}',
            )
        return tuple(cls(path, native(value), source) for path, value in (values or {}).items())

    def value_in(self, classes: Mapping[str, type[Config]]) -> Any:
        """The value converted to its option's type; ``classes`` are the config classes of the slots.

        Raises:
            OptionError: no option has this path, or the option does not accept the value.
        """
        slot, _, name = self.path.partition(".")
        if slot not in classes:
            hint = _elsewhere(classes, self.path) or did_you_mean(slot, classes)
            raise OptionError(
                f"unknown slot '{slot}' in '{self.path}'{hint}",
                where=self.source,
                expected=", ".join(classes),
                fix="write slot.option, such as train.epochs",
            )
        require_current(self.path, self.source)
        known = {o.name: o for o in options(classes[slot])}
        if name not in known:
            fix = "`--dry-run` shows every option of a composition"
            if name == "name" and slot in KINDS:
                fix = f"choose the component with --{slot}, or with `name` in the table [{slot}] of a settings file"
            elif name == "name":
                fix = f"remove it: no component fills {slot}"
            raise OptionError(
                f"unknown option '{self.path}'" + (did_you_mean(name, known) or _elsewhere(classes, name)),
                where=self.source,
                expected=f"one of {slot}'s options: " + (", ".join(known) or "it has none"),
                fix=fix,
            )
        try:
            return coerce(slot, known[name], self.value)
        except OptionError as error:
            error.where = error.where or self.source
            raise


def require_current(path: str, source: str) -> None:
    """Refuse a former name of an option.

    Raises:
        OptionError: the option was renamed; the error states the new name.
    """
    if moved := MOVED.get(path.replace("-", "_")):
        raise OptionError(f"{path} is now {moved}", where=source, fix="use the new name")


def require_consistent(overrides: Iterable[Override]) -> None:
    """Refuse two different values for one option.

    Raises:
        UsageError: an option has two different values.
    """
    seen: dict[str, Override] = {}
    for override in overrides:
        before = seen.setdefault(override.path, override)
        if str(before.value) != str(override.value):
            raise UsageError(
                f"'{override.path}' is given twice with different values",
                found=f"{before.value} ({before.source}) and {override.value} ({override.source})",
                fix="keep one of the two",
            )


def _elsewhere(classes: Mapping[str, type[Config]], name: str) -> str:
    """A suggestion of an option with this name in another slot."""
    found = [f"{slot}.{o.name}" for slot in reversed(list(classes)) for o in options(classes[slot]) if o.name == name]
    return f"; did you mean '{found[0]}'?" if found else ""
