"""The library in a few calls: recipes by name, a run, and what a run left behind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from avelzoo.components import KINDS, Supervision
from avelzoo.composition import Composition, Override, resolve
from avelzoo.config import options as options_of
from avelzoo.host import default_host
from avelzoo.recipe import SLOTS, Recipe

if TYPE_CHECKING:
    from avelzoo.engine import LoadedRun, RunResult
    from avelzoo.registry import RecipeFactory, Registry


class Recipes(Mapping[str, "RecipeFactory"]):
    """Recipes by name: ``recipes["ead-b"]("weak")`` is a `Recipe`."""

    def __getitem__(self, name: str) -> RecipeFactory:
        factory: RecipeFactory = default_host().registry.get("recipe", name).target
        return factory

    def __iter__(self) -> Iterator[str]:
        return iter(default_host().registry.names("recipe"))

    def __len__(self) -> int:
        return len(default_host().registry.names("recipe"))


recipes = Recipes()


def run(
    recipe: Recipe | str,
    *,
    supervision: Supervision = "full",
    out: str | Path | None = None,
    options: Mapping[str, Any] | None = None,
    resume: bool = False,
    device: str = "auto",
    progress: bool = False,
) -> RunResult:
    """Train and evaluate, as `avelzoo run` does.

    Args:
        recipe: a name, or a `Recipe`, perhaps changed with ``dataclasses.replace``.
        supervision: for a recipe given by name.
        out: the run folder; a new one under ``runs/`` by default.
        options: single values by ``slot.option``, such as ``{"memory.size": 8}``.
        resume: go on with the run in ``out``.
        device: ``auto``, ``cpu`` or ``cuda``.
        progress: show a bar when stderr is a terminal.

    Raises:
        AvelzooError: anything a user can act on.
    """
    from avelzoo import engine

    registry = default_host().registry
    overrides = [Override(path, value, "python") for path, value in (options or {}).items()]
    if isinstance(recipe, Recipe):
        composition = compose(recipe, registry, overrides)
    else:
        composition = resolve(registry, recipe, supervision=supervision, overrides=overrides)
    folder = Path(out) if out is not None else new_folder(composition)
    return engine.run(composition, folder, registry=registry, resume=resume, device=device, progress=progress)


def load_run(path: str | Path) -> LoadedRun:
    """Open a run folder: composition, model with its best weights, result.

    Raises:
        RunError: it is no run folder, or is damaged.
    """
    from avelzoo import engine

    return engine.load_run(Path(path), default_host().registry)


def compose(recipe: Recipe, registry: Registry, overrides: list[Override]) -> Composition:
    """A recipe object with provenance: its values come from "python", the data set's budget is not applied."""
    named = resolve(
        registry,
        recipe.name,
        supervision=recipe.supervision,
        choices={slot: _name(registry, recipe, slot) for slot in KINDS},
        overrides=overrides,
    )
    wished = {wish.path: wish.source for wish in overrides}
    changes: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for slot in SLOTS:
        config = recipe.slot(slot)
        names = [o.name for o in options_of(type(config))]
        own = {n: getattr(named.recipe.slot(slot), n) for n in names if f"{slot}.{n}" in wished}
        changes[slot] = replace(config, **own)
        sources |= {f"{slot}.{n}": wished.get(f"{slot}.{n}", "python") for n in names}
    return Composition(replace(recipe, **changes), named.entries, sources, named.owner)


def new_folder(composition: Composition) -> Path:
    """A folder under ``runs/`` that tells what was run and that nothing has yet."""
    recipe = composition.recipe
    encoder = composition.entries["encoder"].name
    stem = f"{recipe.name}-{encoder}-{recipe.supervision}-seed{recipe.train.seed}"
    folder, taken = Path("runs") / stem, 1
    while folder.exists():
        taken += 1
        folder = Path("runs") / f"{stem}-{taken}"
    return folder


def _name(registry: Registry, recipe: Recipe, slot: str) -> str:
    entry = registry.entry_of(recipe.components()[slot])
    if entry is None:
        from avelzoo.errors import UsageError

        raise UsageError(
            f"the {slot} {type(recipe.slot(slot)).__name__} is not registered",
            fix="register it in a plugin, so that the run can be loaded again",
        )
    return entry.qualified
