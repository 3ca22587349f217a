"""From a recipe and a user's overrides to one complete recipe, with the source of every value.

Precedence, lowest first: component default, recipe, data set's training values, file, command line. Another component
in a slot drops the recipe's values of that slot, except options that all components of the kind share; naming the
same component keeps all values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

from avelzoo.components import BASES, KINDS, Supervision
from avelzoo.composition.overrides import Override, require_consistent
from avelzoo.composition.provenance import entry_for, provenance, recorded_entry, require_configs
from avelzoo.composition.recipe import RECORDS, SLOTS, Recipe
from avelzoo.composition.settings_file import read_settings
from avelzoo.config import Config, options
from avelzoo.errors import OptionError, UnknownNameError, UsageError, did_you_mean
from avelzoo.plugin.registry import THIS_PROCESS, Entry, Registry

EARLIER = {"decoder": {"name": "avelzoo/head", "options": {}}}
"""Slots that run folders of earlier versions lack."""

PYTHON = "python"
"""Source of values given by a `Recipe` object or a call."""


@dataclass(frozen=True)
class Composition:
    """A complete recipe and the source of each value.

    Attributes:
        recipe: all values.
        entries: entry of the component in each slot.
        sources: source of each value, by ``slot.option``.
        owner: entry of the recipe.
    """

    recipe: Recipe
    entries: Mapping[str, Entry]
    sources: Mapping[str, str]
    owner: Entry

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for ``composition.json``."""
        slots: dict[str, Any] = {}
        for slot in SLOTS:
            row = provenance(self.entries[slot]) if slot in self.entries else {}
            row["options"] = self.recipe.slot(slot).to_dict()
            row["sources"] = {name: self.sources[f"{slot}.{name}"] for name in row["options"]}
            slots[slot] = row
        data = {"recipe": self.owner.qualified, "supervision": self.recipe.supervision, "slots": slots}
        if self.owner.plugin == THIS_PROCESS:
            data["recipe_facts"] = {"summary": self.recipe.summary, "paper": self.recipe.paper}
        return data


def resolve(
    registry: Registry,
    recipe: Recipe | str | None,
    *,
    supervision: str | None = None,
    choices: Mapping[str, str | None] | None = None,
    overrides: Iterable[Override] = (),
    file: Path | None = None,
    data: Path | None = None,
) -> Composition:
    """Combine a recipe, a settings file and overrides to one composition.

    Args:
        registry: registry of the components.
        recipe: a name, or a `Recipe`. A data set's training values replace those of a recipe given by name, not those
            of a `Recipe` object.
        supervision: ``full`` or ``weak``, for a recipe given by name; full by default.
        choices: component names by slot; they override the file.
        overrides: values by ``slot.option``; they override the file.
        file: a TOML file with one table per slot; ``name`` in a table selects the component.
        data: data folder; a data set that reads no folder is replaced by one that does, unless it was chosen by name.

    Raises:
        UsageError: a name or option does not exist, or a value is invalid.
        DataError: the file cannot be read or is not valid TOML.
    """
    base, owner = _base(registry, recipe, supervision)
    by_name = base is not recipe
    tables = read_settings(file) if file else {}
    added = with_data(overrides, data)
    require_consistent(added)
    entries: dict[str, Entry] = {}
    configs: dict[str, Config] = {}
    sources: dict[str, str] = {}
    names = _names(registry, choices or {})
    for slot in SLOTS:
        config = configs[slot] = base.slot(slot)
        source = f"recipe {base.name}" if by_name else PYTHON
        if slot in KINDS:
            current = entry = entry_for(registry, config)
            if by_name and current.plugin == THIS_PROCESS and registry.entry_of(config) is None:
                raise UsageError(f"recipe '{recipe}' uses a {slot} that is not registered", found=type(config).__name__)
            if name := names.get(slot) or tables.get(slot, {}).get("name"):
                entry = registry.get(slot, name)
            if slot == "dataset" and data is not None and slot not in names and not entry.target.reads_folder:
                entry = folder_dataset(registry)
            if entry.qualified != current.qualified:
                shared = {o.name: getattr(config, o.name) for o in options(BASES[slot])}
                configs[slot] = entry.target(**shared)
                sources |= {f"{slot}.{name}": source for name in shared}
                source = f"default of {entry.name}"
            entries[slot] = entry
        for option in options(type(configs[slot])):
            sources.setdefault(f"{slot}.{option.name}", source)
    found = Composition(replace(base, **configs), entries, sources, owner)  # type: ignore[arg-type]
    layers: list[Override] = []
    if by_name:
        suited = found.recipe.dataset.train_defaults(base.supervision)
        layers += [Override(f"train.{k}", v, f"dataset {entries['dataset'].name}") for k, v in suited.items()]
    for slot, table in tables.items():
        own = {k: v for k, v in table.items() if k != "name" or slot not in KINDS}
        layers += [Override(f"{slot}.{k}", v, f"file {file}") for k, v in own.items()]
    return _layered(found, [*layers, *added])


def overridden(composition: Composition, overrides: Iterable[Override]) -> Composition:
    """A composition with some values replaced.

    Raises:
        UsageError: an option does not exist, does not accept its value, or is given two values.
    """
    overrides = list(overrides)
    require_consistent(overrides)
    return _layered(composition, overrides)


def with_data(overrides: Iterable[Override], data: Path | None) -> list[Override]:
    """Overrides, including the one for the data folder."""
    return [*overrides, *([] if data is None else [Override("dataset.root", str(data), "--data")])]


def folder_dataset(registry: Registry) -> Entry:
    """The default data set for a folder: the built-in one, or the only one that reads folders.

    Raises:
        UsageError: no registered data set reads a folder, or several do.
    """
    readers = [entry for entry in registry.entries("dataset") if entry.target.reads_folder]
    readers = [entry for entry in readers if entry.qualified == "avelzoo/ave"] or readers
    if len(readers) != 1:
        raise UsageError(
            f"{len(readers) or 'no'} registered data sets read a folder",
            found=", ".join(entry.qualified for entry in readers),
            fix="choose the data set by name, with --dataset",
        )
    return readers[0]


def from_dict(registry: Registry, data: Mapping[str, Any]) -> Composition:
    """Inverse of ``Composition.to_dict``, with the components registered now.

    Raises:
        UnknownNameError: the recipe or a component is not registered.
        OptionError: an option no longer exists, or its value is invalid.
        KeyError: a slot is missing.
    """
    name, supervision, facts = data["recipe"], data["supervision"], data.get("recipe_facts")
    owner = registry.get("recipe", name) if facts is None else None
    built: dict[str, Any] = {}
    entries: dict[str, Entry] = {}
    sources: dict[str, str] = {}
    for slot in SLOTS:
        row = (EARLIER | data["slots"])[slot]
        if slot in KINDS:
            entries[slot] = recorded_entry(registry, slot, row)
        cls: type[Config] = entries[slot].target if slot in KINDS else RECORDS[slot]
        built[slot] = cls.from_dict(row["options"])
        known = row.get("sources", {})
        sources |= {f"{slot}.{o.name}": known.get(o.name, "run record") for o in options(cls)}
    if owner is not None:
        return Composition(replace(owner.target(supervision), **built), entries, sources, owner)
    recipe = Recipe(name=name.rpartition("/")[2], supervision=supervision, **(facts or {}), **built)
    return Composition(recipe, entries, sources, _own_entry(recipe))


def _base(registry: Registry, recipe: Recipe | str | None, supervision: str | None) -> tuple[Recipe, Entry]:
    """The given recipe, or the registered recipe with this name."""
    known = get_args(Supervision)
    if supervision is not None and supervision not in known:
        raise UsageError(
            f"unknown supervision '{supervision}'" + did_you_mean(supervision, known), expected=" or ".join(known)
        )
    if recipe is None:
        fix = "for example `avelzoo run ead-b --encoder st-fusion`; `avelzoo list recipes` lists all recipes"
        raise UnknownNameError("no recipe given", expected=", ".join(registry.names("recipe")), fix=fix)
    if not isinstance(recipe, Recipe):
        owner = registry.get("recipe", recipe)
        return owner.target(supervision or "full"), owner
    if supervision not in (None, recipe.supervision):
        raise UsageError(
            f"the recipe is for {recipe.supervision} supervision, not {supervision}",
            fix=f'use recipes["{recipe.name}"]("{supervision}")',
        )
    require_configs(recipe)
    registered = recipe.name in registry.names("recipe")
    return recipe, registry.get("recipe", recipe.name) if registered else _own_entry(recipe)


def _own_entry(recipe: Recipe) -> Entry:
    return Entry("recipe", recipe.name, None, THIS_PROCESS, "", "", recipe.summary)


def _names(registry: Registry, choices: Mapping[str, str | None]) -> dict[str, str]:
    """Component names by slot, without None."""
    chosen = {slot: name for slot, name in choices.items() if name is not None}
    for slot, name in chosen.items():
        if slot not in KINDS:
            raise UsageError(f"no component fills '{slot}'" + did_you_mean(slot, KINDS), expected=", ".join(KINDS))
        if not isinstance(name, str):
            raise UsageError(
                f"the {slot} is chosen by name",
                found=type(name).__name__,
                expected=", ".join(registry.names(slot)),
                fix=f"to pass a config: run(dataclasses.replace(recipe, {slot}=...)); to try several:"
                f" sweep(..., over={{'{slot}': [...]}})",
            )
    return chosen


def _layered(composition: Composition, overrides: Iterable[Override]) -> Composition:
    recipe, sources = composition.recipe, dict(composition.sources)
    classes = {slot: type(recipe.slot(slot)) for slot in SLOTS}
    values = {slot: {o.name: getattr(recipe.slot(slot), o.name) for o in options(classes[slot])} for slot in SLOTS}
    for override in overrides:
        slot, _, name = override.path.partition(".")
        values[slot][name] = override.value_in(classes)
        sources[override.path] = override.source
    built = {slot: _built(classes[slot], slot, values[slot], sources) for slot in SLOTS}
    return replace(composition, recipe=replace(recipe, **built), sources=sources)


def _built(cls: type[Config], slot: str, values: Mapping[str, Any], sources: Mapping[str, str]) -> Any:
    """A slot's config; an error states the source of the invalid value."""
    try:
        return cls.from_dict(values)
    except OptionError as error:
        named = (source for path, source in sources.items() if path.startswith(f"{slot}.") and path in error.problem)
        error.where = error.where or next(named, "")
        raise
