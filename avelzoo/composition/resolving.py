"""From a recipe's name and a user's wishes to one complete recipe, with the source of every value.

Order, later wins: component default < recipe < data set's training values < file < command line. Switching a slot to
another component drops the recipe's values for that slot, except for options that all components of the kind share;
naming the component that is already there keeps them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from avelzoo.components import BASES, KINDS, Supervision
from avelzoo.composition.recipe import MOVED, RECORDS, SLOTS, Recipe
from avelzoo.composition.settings_file import read_settings
from avelzoo.config import Config, coerce, options
from avelzoo.errors import OptionError, UsageError, did_you_mean
from avelzoo.plugin.registry import Entry, Registry


@dataclass(frozen=True)
class Override:
    """A wish for one value, ``path`` being ``slot.option``."""

    path: str
    value: Any
    source: str

    def __post_init__(self) -> None:
        if not isinstance(self.path, str):
            raise UsageError(
                "the name of an option is not a text",
                where=self.source,
                found=repr(self.path),
                expected="slot.option, such as memory.size",
            )

    @classmethod
    def parse(cls, text: str, source: str = "--set") -> Override:
        """From ``slot.option=value``.

        Raises:
            UsageError: the text has no ``=`` or no slot.
        """
        path, equals, value = text.partition("=")
        if not equals or path.count(".") != 1:
            raise UsageError(
                f"cannot read the setting '{text}'",
                expected="slot.option=value, for example memory.size=8",
                fix=f"name the slot as well: {', '.join(SLOTS)}",
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
        DataError: the file cannot be read or is not valid TOML.
    """
    owner = registry.get("recipe", recipe)
    base: Recipe = owner.target(supervision)
    tables = read_settings(file) if file else {}
    overrides = _consistent(list(overrides))

    unknown = next((slot for slot in choices or {} if slot not in KINDS), None)
    if unknown is not None:
        raise UsageError(f"no component fills '{unknown}'" + did_you_mean(unknown, KINDS), expected=", ".join(KINDS))

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
        slot: entries[slot].target if slot in entries else RECORDS[slot] for slot in SLOTS
    }
    data_defaults = entries["dataset"].target(**values["dataset"]).train_defaults(supervision)
    wishes = [Override(f"train.{k}", v, f"dataset {entries['dataset'].name}") for k, v in data_defaults.items()]
    for slot, table in tables.items():
        wishes += [
            Override(f"{slot}.{k}", v, f"file {file}") for k, v in table.items() if k != "name" or slot not in KINDS
        ]
    for wish in [*wishes, *overrides]:
        slot, _, name = wish.path.partition(".")
        values[slot][name] = _value(classes, wish)
        sources[wish.path] = wish.source

    built = {slot: _built(classes[slot], slot, values[slot], sources) for slot in SLOTS}
    return Composition(replace(base, **built), entries, sources, owner)


def from_dict(registry: Registry, data: Mapping[str, Any]) -> Composition:
    """The composition that ``Composition.to_dict`` wrote, with today's registered components.

    Raises:
        UnknownNameError: the recipe or a component is not registered.
        OptionError: an option is not known any more, or its value is not valid.
        KeyError: a slot is missing.
    """
    owner = registry.get("recipe", data["recipe"])
    base: Recipe = owner.target(data["supervision"])
    built: dict[str, Any] = {}
    entries: dict[str, Entry] = {}
    sources: dict[str, str] = {}
    for slot in SLOTS:
        row = data["slots"][slot]
        cls = RECORDS.get(slot)
        if cls is None:
            entries[slot] = registry.get(slot, row["name"])
            cls = entries[slot].target
        built[slot] = cls.from_dict(row["options"])
        known = row.get("sources", {})
        sources |= {f"{slot}.{o.name}": known.get(o.name, "run record") for o in options(cls)}
    return Composition(replace(base, **built), entries, sources, owner)


def require_current(path: str, source: str) -> None:
    """Refuse the former name of an option.

    Raises:
        OptionError: it has another one now, which the error names.
    """
    if moved := MOVED.get(path.replace("-", "_")):
        raise OptionError(f"{path} is {moved} now", where=source, fix="write the new name")


def _value(classes: Mapping[str, type[Config]], wish: Override) -> Any:
    """The wish's value as its option's type; a wish that no option takes is an error, never ignored."""
    slot, _, name = wish.path.partition(".")
    if slot not in classes:
        raise OptionError(
            f"unknown slot '{slot}' in '{wish.path}'" + (_elsewhere(classes, wish.path) or did_you_mean(slot, classes)),
            where=wish.source,
            expected=", ".join(classes),
            fix="write slot.option, such as train.epochs",
        )
    require_current(wish.path, wish.source)
    known = {o.name: o for o in options(classes[slot])}
    if name not in known:
        fix = "`--dry-run` shows every option of a composition"
        if name == "name" and slot in KINDS:
            fix = f"choose the component with --{slot}, or with `name` in the table [{slot}] of a settings file"
        elif name == "name":
            fix = f"leave it out: {slot} has no component to choose"
        raise OptionError(
            f"unknown option '{wish.path}'" + (did_you_mean(name, known) or _elsewhere(classes, name)),
            where=wish.source,
            expected=f"one of {slot}'s options: " + (", ".join(known) or "it has none"),
            fix=fix,
        )
    try:
        return coerce(slot, known[name], wish.value)
    except OptionError as error:
        error.where = error.where or wish.source
        raise


def _elsewhere(classes: Mapping[str, type[Config]], name: str) -> str:
    """A hint at the option of this name in some slot."""
    found = [f"{slot}.{o.name}" for slot in reversed(SLOTS) for o in options(classes[slot]) if o.name == name]
    return f"; did you mean '{found[0]}'?" if found else ""


def _built(cls: type[Config], slot: str, values: Mapping[str, Any], sources: Mapping[str, str]) -> Any:
    """A slot's config; an error says where the value at fault comes from."""
    try:
        return cls.from_dict(values)
    except OptionError as error:
        named = (source for path, source in sources.items() if path.startswith(f"{slot}.") and path in error.problem)
        error.where = error.where or next(named, "")
        raise


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
