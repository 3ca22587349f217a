"""Which entry a config belongs to, and how a run record finds it again."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from avelzoo.components import BASES
from avelzoo.composition.recipe import RECORDS, SLOTS, Recipe
from avelzoo.config import Config
from avelzoo.errors import UnknownNameError, UsageError
from avelzoo.plugin.default import process_host
from avelzoo.plugin.registry import THIS_PROCESS, Entry, Registry


def entry_for(registry: Registry, config: Config) -> Entry:
    """The entry of a config; for a class that nobody registered, one of this process."""
    cls = type(config)
    summary = (inspect.getdoc(cls) or "").partition("\n")[0]
    name = getattr(cls, "component_name", cls.__name__)
    return registry.entry_of(config) or Entry(config.kind, name, cls, THIS_PROCESS, "", "", summary)


def require_configs(recipe: Recipe) -> None:
    """Refuse a recipe in which something else stands in a config's place.

    Raises:
        UsageError: a slot holds a class, a name or another kind's config.
    """
    for slot in SLOTS:
        value, base = recipe.slot(slot), (BASES | RECORDS)[slot]
        if not isinstance(value, base):
            kind = value if isinstance(value, type) else type(value)
            raise UsageError(
                f"the recipe's {slot} is no config",
                found=f"the class {value.__name__}" if isinstance(value, type) else repr(value),
                expected=f"{kind.__name__}.Config(...)"
                if hasattr(kind, "Config")
                else f"an instance of {base.__name__}",
                fix=f'replace(recipe, {slot}=...) takes a config; to choose by name: run(..., {slot}="NAME")',
            )


def provenance(entry: Entry) -> dict[str, Any]:
    """What a run record says of an entry: its name, who brings it; of one of this process, where it is defined."""
    row: dict[str, Any] = {"name": entry.qualified, "distribution": entry.distribution, "version": entry.version}
    if entry.plugin != THIS_PROCESS:
        return row
    cls = entry.target
    code = next((f.__code__ for f in _functions(getattr(cls, "component", cls))), None)
    place = {} if code is None else {"file": code.co_filename, "line": code.co_firstlineno}
    return row | {"defined": {"class": f"{cls.__module__}:{cls.__qualname__}"} | place}


def recorded_entry(registry: Registry, kind: str, row: Mapping[str, Any]) -> Entry:
    """The entry that a run record names.

    Raises:
        UnknownNameError: it is not registered; the message says what has to be installed, loaded or defined.
    """
    try:
        return registry.get(kind, row["name"])
    except UnknownNameError as error:
        defined = row.get("defined")
        if defined is None:
            error.fix = _remedy(row) or error.fix
            raise
    cls = _loaded_class(str(defined["class"]))
    if isinstance(cls, type) and issubclass(cls, BASES[kind]):
        return entry_for(registry, cls())
    raise UnknownNameError(
        f"the {kind} '{row['name']}' of this run is not defined in this process",
        found=f"the run used {_place(defined)}",
        fix="define it again first: import its module or run its notebook cell; from the command line, put it into a"
        " file and load that with --plugin FILE",
    )


def require_shareable(registry: Registry, compositions: Iterable[Mapping[str, Any]]) -> None:
    """Refuse compositions, as `Composition.to_dict` writes them, that other processes cannot make again.

    Raises:
        UsageError: a part is registered or defined in this process alone.
    """
    fix = "put it into a file and load that: --plugin FILE, or avelzoo.default_host().add_file(FILE)"
    if registry is not process_host().registry:
        raise UsageError("the run's components are known to this process alone; the run needs several", fix=fix)
    rows = (row for composition in compositions for row in composition["slots"].items())
    for slot, row in rows:
        if "defined" in row:
            raise UsageError(
                f"the {slot} '{row['name']}' is known to this process alone; the run needs several",
                found=_place(row["defined"]),
                fix=fix,
            )


def _place(defined: Mapping[str, Any]) -> str:
    place = f" in {defined['file']}, line {defined['line']}" if "file" in defined else ""
    return f"the class {defined['class']}{place}"


def _functions(cls: type) -> list[Any]:
    """Functions that somebody wrote in a class; those that dataclasses generate have no file."""
    return [f for f in vars(cls).values() if inspect.isfunction(f) and f.__code__.co_filename != "<string>"]


def _loaded_class(path: str) -> Any:
    """The class at ``module:qualified.name`` in a module that is loaded already; a record never imports anything."""
    module, _, name = path.partition(":")
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def _remedy(row: Mapping[str, Any]) -> str:
    brought = str(row.get("distribution", ""))
    if brought.endswith(".py"):
        return f"load its file first: avelzoo --plugin {brought} ..., or avelzoo.default_host().add_file('{brought}')"
    if brought and brought != "avelzoo":
        return f"install {brought} {row.get('version', '')}".strip() + "; `avelzoo plugins` shows what is loaded"
    return ""
