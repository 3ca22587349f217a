"""From a recipe and a user's overrides to one complete recipe, with the source of every value.

Order, later wins: component default < recipe < data set's training values < file < command line. Switching a slot to
another component drops the recipe's values for that slot, except for options that all components of the kind share;
naming the component that is already there keeps them all.
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

PYTHON = "python"
"""Source of values that a `Recipe` object or a call brings."""


@dataclass(frozen=True)
class Composition:
    """A complete recipe with provenance.

    Attributes:
        recipe: every value.
        entries: which component fills each slot.
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
    """Layer a recipe, a file and single overrides into one composition.

    Args:
        registry: where names are looked up.
        recipe: a name, or a `Recipe`. An object keeps its own values: a data set's training values replace only those
            of a recipe given by name.
        supervision: ``full`` or ``weak``, for a recipe given by name; full by default.
        choices: component names by slot; they win over the file's.
        overrides: single values; they win over the file's.
        file: a TOML file with a table per slot, whose ``name`` picks the component.
        data: folder of the data set; one that reads no folder gives way to one that does, unless it is chosen.

    Raises:
        UsageError: a name, option or value does not exist or does not fit.
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
    """A composition with other values.

    Raises:
        UsageError: an option does not exist, does not accept its value, or is given two values.
    """
    overrides = list(overrides)
    require_consistent(overrides)
    return _layered(composition, overrides)


def with_data(overrides: Iterable[Override], data: Path | None) -> list[Override]:
    """Overrides, and the one that a data folder means."""
    return [*overrides, *([] if data is None else [Override("dataset.root", str(data), "--data")])]


def folder_dataset(registry: Registry) -> Entry:
    """The data set for a folder whose kind nobody stated: the built-in one, or the only one that reads folders.

    Raises:
        UsageError: there is none, or there are several.
    """
    readers = [entry for entry in registry.entries("dataset") if entry.target.reads_folder]
    readers = [entry for entry in readers if entry.plugin == "avelzoo"] or readers
    if len(readers) != 1:
        raise UsageError(
            f"{len(readers) or 'no'} registered data sets read a folder",
            found=", ".join(entry.qualified for entry in readers),
            fix="choose the data set by name, with --dataset",
        )
    return readers[0]


def from_dict(registry: Registry, data: Mapping[str, Any]) -> Composition:
    """The composition that ``Composition.to_dict`` wrote, with today's registered components.

    Raises:
        UnknownNameError: the recipe or a component is not registered.
        OptionError: an option is not known any more, or its value is not valid.
        KeyError: a slot is missing.
    """
    name, supervision, facts = data["recipe"], data["supervision"], data.get("recipe_facts")
    owner = registry.get("recipe", name) if facts is None else None
    built: dict[str, Any] = {}
    entries: dict[str, Entry] = {}
    sources: dict[str, str] = {}
    for slot in SLOTS:
        row = data["slots"][slot]
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
    """A recipe in hand, or the registered one of this name."""
    known = get_args(Supervision)
    if supervision is not None and supervision not in known:
        raise UsageError(
            f"unknown supervision '{supervision}'" + did_you_mean(supervision, known), expected=" or ".join(known)
        )
    if recipe is None:
        raise UnknownNameError(
            "no recipe given",
            expected=", ".join(registry.names("recipe")),
            fix="for example `avelzoo run ead-b --encoder st-fusion`; `avelzoo list recipes` describes each of them",
        )
    if not isinstance(recipe, Recipe):
        owner = registry.get("recipe", recipe)
        return owner.target(supervision or "full"), owner
    if supervision not in (None, recipe.supervision):
        raise UsageError(
            f"the recipe is for {recipe.supervision} supervision, not {supervision}",
            fix=f'take it for the other: recipes["{recipe.name}"]("{supervision}")',
        )
    require_configs(recipe)
    registered = recipe.name in registry.names("recipe")
    return recipe, registry.get("recipe", recipe.name) if registered else _own_entry(recipe)


def _own_entry(recipe: Recipe) -> Entry:
    return Entry("recipe", recipe.name, None, THIS_PROCESS, "", "", recipe.summary)


def _names(registry: Registry, choices: Mapping[str, str | None]) -> dict[str, str]:
    """Component names by slot, without those left open."""
    chosen = {slot: name for slot, name in choices.items() if name is not None}
    for slot, name in chosen.items():
        if slot not in KINDS:
            raise UsageError(f"no component fills '{slot}'" + did_you_mean(slot, KINDS), expected=", ".join(KINDS))
        if not isinstance(name, str):
            raise UsageError(
                f"the {slot} is chosen by name",
                found=type(name).__name__,
                expected=", ".join(registry.names(slot)),
                fix=f"for one with options of its own: run(dataclasses.replace(recipe, {slot}=...)); to try several:"
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
    """A slot's config; an error says where the value at fault comes from."""
    try:
        return cls.from_dict(values)
    except OptionError as error:
        named = (source for path, source in sources.items() if path.startswith(f"{slot}.") and path in error.problem)
        error.where = error.where or next(named, "")
        raise
