"""From a recipe's name and a user's wishes to one complete recipe, with the source of every value.

Order, later wins: component default < recipe < data set's training values < file < command line. Switching a slot to
another component drops the recipe's values for that slot, except for options that all components of the kind share;
naming the component that is already there keeps them all.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from avelzoo.components import BASES, KINDS, Supervision
from avelzoo.config import Config, coerce, options
from avelzoo.errors import DataError, OptionError, UsageError
from avelzoo.recipe import SLOTS, Recipe, TrainConfig
from avelzoo.registry import Entry, Registry
from avelzoo.suggest import did_you_mean


@dataclass(frozen=True)
class Override:
    """A wish for one value, ``path`` being ``slot.option``."""

    path: str
    value: Any
    source: str

    @classmethod
    def parse(cls, text: str, source: str = "--set") -> Override:
        """From ``slot.option=value``."""
        path, equals, value = text.partition("=")
        if not equals or path.count(".") != 1:
            raise UsageError(
                f"cannot read the setting '{text}'",
                expected="slot.option=value, for example memory.size=8",
                fix=f"slots are {', '.join(SLOTS)}",
            )
        return cls(path.strip(), value.strip(), source)


@dataclass(frozen=True)
class Composition:
    """A complete recipe with provenance.

    Attributes:
        recipe: every value.
        entries: which registered component fills each slot.
        sources: where each ``slot.option`` value comes from.
        owner: the entry of the recipe itself.
    """

    recipe: Recipe
    entries: Mapping[str, Entry]
    sources: Mapping[str, str]
    owner: Entry

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for ``composition.json``."""
        slots: dict[str, Any] = {}
        for slot in SLOTS:
            row: dict[str, Any] = {}
            if slot in self.entries:
                e = self.entries[slot]
                row |= {"name": e.qualified, "distribution": e.distribution, "version": e.version}
            row["options"] = self.recipe.slot(slot).to_dict()
            row["sources"] = {name: self.sources[f"{slot}.{name}"] for name in row["options"]}
            slots[slot] = row
        return {"recipe": self.owner.qualified, "supervision": self.recipe.supervision, "slots": slots}


def resolve(
    registry: Registry,
    recipe: str,
    *,
    supervision: Supervision = "full",
    choices: Mapping[str, str] | None = None,
    overrides: Iterable[Override] = (),
    file: Path | None = None,
) -> Composition:
    """Layer a recipe, a file and single wishes into one composition.

    Args:
        registry: where names are looked up.
        recipe: name of the recipe.
        supervision: ``full`` or ``weak``.
        choices: component names by slot; they win over the file's.
        overrides: single values; they win over the file's.
        file: a TOML file with a table per slot, whose ``name`` picks the component.

    Raises:
        UsageError: a name, option or value does not exist or does not fit.
    """
    owner = registry.get("recipe", recipe)
    base: Recipe = owner.target(supervision)
    tables = _read_file(file) if file else {}
    overrides = _consistent(list(overrides))

    entries: dict[str, Entry] = {}
    values: dict[str, dict[str, Any]] = {}
    sources: dict[str, str] = {}
    for slot in SLOTS:
        config: Config = base.slot(slot)
        source = f"recipe {base.name}"
        if slot in KINDS:
            current = registry.entry_of(base.components()[slot])
            name = (choices or {}).get(slot) or tables.get(slot, {}).get("name")
            entry = registry.get(slot, name) if name else current
            if entry is None:
                raise UsageError(f"recipe '{recipe}' uses a {slot} that is not registered", found=type(config).__name__)
            if current is None or entry.qualified != current.qualified:
                shared = {o.name: getattr(config, o.name) for o in options(BASES[slot])}
                config = entry.target(**shared)
                sources |= {f"{slot}.{name}": source for name in shared}
                source = f"default of {entry.name}"
            entries[slot] = entry
        values[slot] = {o.name: getattr(config, o.name) for o in options(type(config))}
        for name in values[slot]:
            sources.setdefault(f"{slot}.{name}", source)

    classes: dict[str, type[Config]] = {
        slot: entries[slot].target if slot in entries else TrainConfig for slot in SLOTS
    }
    data_defaults = entries["dataset"].target(**values["dataset"]).train_defaults(supervision)
    wishes = [Override(f"train.{k}", v, f"dataset {entries['dataset'].name}") for k, v in data_defaults.items()]
    for slot, table in tables.items():
        wishes += [Override(f"{slot}.{k}", v, f"file {file}") for k, v in table.items() if k != "name"]
    for wish in [*wishes, *overrides]:
        slot, _, name = wish.path.partition(".")
        values[slot][name] = _value(classes, wish)
        sources[wish.path] = wish.source

    built = {slot: classes[slot].from_dict(values[slot]) for slot in SLOTS}
    return Composition(replace(base, **built), entries, sources, owner)


def from_dict(registry: Registry, data: Mapping[str, Any]) -> Composition:
    """The composition that ``Composition.to_dict`` wrote, with today's registered components."""
    owner = registry.get("recipe", data["recipe"])
    base: Recipe = owner.target(data["supervision"])
    built: dict[str, Any] = {}
    entries: dict[str, Entry] = {}
    sources: dict[str, str] = {}
    for slot in SLOTS:
        row = data["slots"][slot]
        cls: type[Config] = TrainConfig
        if slot in KINDS:
            entries[slot] = registry.get(slot, row["name"])
            cls = entries[slot].target
        built[slot] = cls.from_dict(row["options"])
        known = row.get("sources", {})
        sources |= {f"{slot}.{o.name}": known.get(o.name, "run record") for o in options(cls)}
    return Composition(replace(base, **built), entries, sources, owner)


def _value(classes: Mapping[str, type[Config]], wish: Override) -> Any:
    slot, _, name = wish.path.partition(".")
    if slot not in classes:
        raise OptionError(
            f"unknown slot '{slot}' in '{wish.path}'" + did_you_mean(slot, classes), expected=", ".join(classes)
        )
    known = {o.name: o for o in options(classes[slot])}
    if name not in known:
        raise OptionError(
            f"unknown option '{wish.path}' (from {wish.source})" + did_you_mean(name, known),
            expected=f"one of {slot}'s options: " + (", ".join(known) or "it has none"),
            fix="options belong to the component in the slot; `--dry-run` shows all of them",
        )
    return coerce(slot, known[name], wish.value)


def _consistent(overrides: list[Override]) -> list[Override]:
    seen: dict[str, Override] = {}
    for wish in overrides:
        before = seen.setdefault(wish.path, wish)
        if str(before.value) != str(wish.value):
            raise UsageError(
                f"'{wish.path}' is given twice with different values",
                found=f"{before.value} ({before.source}) and {wish.value} ({wish.source})",
                fix="keep one of the two",
            )
    return overrides


def _read_file(file: Path) -> dict[str, dict[str, Any]]:
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"cannot read the settings file: {error.strerror}", where=str(file)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"the settings file is not valid TOML: {error}", where=str(file)) from error
    for slot, table in tables.items():
        if slot not in SLOTS or not isinstance(table, dict):
            raise UsageError(
                f"unexpected entry '{slot}' in the settings file" + did_you_mean(slot, SLOTS),
                where=str(file),
                expected="one table per slot: " + ", ".join(f"[{s}]" for s in SLOTS),
            )
    return tables
