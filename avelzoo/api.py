"""The library in a few calls: recipes by name, a run, and what a run left behind."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from avelzoo.components import KINDS, Supervision
from avelzoo.composition.recipe import SLOTS, Recipe
from avelzoo.composition.resolving import Composition, Override, resolve
from avelzoo.config import Bounds, checked, native, options as options_of
from avelzoo.errors import UsageError, did_you_mean
from avelzoo.plugin.host import default_host
from avelzoo.plugin.listeners import Listener, plugin_listeners

if TYPE_CHECKING:
    from avelzoo.engine import LoadedRun, RunResult
    from avelzoo.plugin.registry import RecipeFactory, Registry


class Recipes(Mapping[str, "RecipeFactory"]):
    """Recipes by name: ``recipes["ead-b"]("weak")`` is a `Recipe`."""

    def __getitem__(self, name: str) -> RecipeFactory:
        factory: RecipeFactory = default_host().registry.get("recipe", name).target
        return factory

    def __iter__(self) -> Iterator[str]:
        return iter(default_host().registry.names("recipe"))

    def __len__(self) -> int:
        return len(default_host().registry.names("recipe"))

    def __contains__(self, name: object) -> bool:
        try:
            return isinstance(name, str) and self[name] is not None
        except UsageError:
            return False

    def __repr__(self) -> str:
        return f"recipes: {', '.join(self)}"


recipes = Recipes()


def run(
    recipe: Recipe | str,
    *,
    supervision: Supervision | None = None,
    dataset: str | None = None,
    sampler: str | None = None,
    transform: str | None = None,
    encoder: str | None = None,
    memory: str | None = None,
    head: str | None = None,
    objective: str | None = None,
    optimizer: str | None = None,
    schedule: str | None = None,
    options: Mapping[str, Any] | None = None,
    seed: int | None = None,
    out: str | Path | None = None,
    resume: bool = False,
    device: str = "auto",
    devices: int = 1,
    nodes: int = 1,
    progress: bool = False,
    listeners: Sequence[Listener] = (),
) -> RunResult:
    """Train and evaluate, as `avelzoo run` does.

    Numbers may be Python's, NumPy's or PyTorch's. The run works under a state of PyTorch and NumPy of its own and
    leaves the caller's as it was, random generators included: the same call gives the same numbers after
    ``torch.set_default_dtype``, under ``torch.no_grad``, autocast, a default device or any seed.

    Of several threads that call this, one runs and the others wait for it, since a process has one set of random
    generators. `avelzoo.sweep` with the launcher ``local`` runs several at once, in processes.

    Args:
        recipe: a name, or a `Recipe`, perhaps changed with ``dataclasses.replace``. A `Recipe` is taken as it is: the
            budget that a data set suggests replaces only that of a recipe given by name.
        supervision: ``full`` or ``weak``, for a recipe given by name; full by default.
        dataset: name of another data set, with its default options.
        sampler: name of another sampler.
        transform: name of another transform.
        encoder: name of another encoder.
        memory: name of another memory.
        head: name of another head.
        objective: name of another objective.
        optimizer: name of another optimizer.
        schedule: name of another schedule.
        options: single values by ``slot.option``, such as ``{"memory.size": 8}``.
        seed: short for the option ``train.seed``.
        out: the run folder; a new one under ``runs/`` by default.
        resume: go on with the run in ``out``.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        devices: processes on this machine, a device each, that share every batch.
        nodes: machines with as many processes each; on every one of them the same call is made.
        progress: show a bar where stderr is a terminal.
        listeners: hear how it goes, beside the plugins that follow runs.

    Raises:
        AvelzooError: anything a user can act on.
    """
    from avelzoo import engine

    resume = checked("run.resume", bool, resume, default=False)
    bar = [engine.ProgressBar()] if checked("run.progress", bool, progress, default=False) else []
    devices, nodes = (
        checked(f"run.{name}", int, value, bounds=Bounds(min=1), default=1)
        for name, value in (("devices", devices), ("nodes", nodes))
    )
    if resume and out is None:
        raise UsageError("which run is to go on?", fix="name its folder: run(..., out=RUN_DIR, resume=True)")
    registry = default_host().registry
    wished = {
        "dataset": dataset,
        "sampler": sampler,
        "transform": transform,
        "encoder": encoder,
        "memory": memory,
        "head": head,
        "objective": objective,
        "optimizer": optimizer,
        "schedule": schedule,
    }
    choices = {slot: name for slot, name in wished.items() if name is not None}
    seeded = [] if seed is None else [Override("train.seed", native(seed), "python")]
    composition = composed(recipe, supervision=supervision, choices=choices, options=options, overrides=seeded)
    with nullcontext(Path(out)) if out is not None else engine.new_folder(folder_name(composition)) as folder:
        return engine.run(
            composition,
            folder,
            registry=registry,
            resume=resume,
            device=str(device),
            devices=devices,
            nodes=nodes,
            command=sys.argv,
            listeners=[*bar, *listeners, *plugin_listeners(default_host())],
        )


def composed(
    recipe: Recipe | str,
    *,
    supervision: Supervision | None = None,
    choices: Mapping[str, str] | None = None,
    options: Mapping[str, Any] | None = None,
    overrides: Sequence[Override] = (),
) -> Composition:
    """The composition of a recipe, given by name or as a value, and of wishes.

    Args:
        recipe: a name or a `Recipe`.
        supervision: for a recipe given by name; None for full.
        choices: component names by slot.
        options: single values by ``slot.option``.
        overrides: single values with a source.

    Raises:
        UsageError: a name, option or value does not exist or does not fit.
    """
    registry = default_host().registry
    for slot, name in (choices or {}).items():
        if not isinstance(name, str):
            raise UsageError(
                f"the {slot} is chosen by name",
                found=type(name).__name__,
                expected=", ".join(registry.names(slot)) if slot in KINDS else "a name",
                fix=f"for one with options of its own: run(dataclasses.replace(recipe, {slot}=...))",
            )
    known = get_args(Supervision)
    if supervision is not None and supervision not in known:
        raise UsageError(
            f"unknown supervision '{supervision}'" + did_you_mean(supervision, known), expected=" or ".join(known)
        )
    wishes = [*(Override(path, native(value), "python") for path, value in (options or {}).items()), *overrides]
    if isinstance(recipe, str):
        return resolve(registry, recipe, supervision=supervision or "full", choices=choices, overrides=wishes)
    if supervision not in (None, recipe.supervision):
        raise UsageError(
            f"the recipe is for {recipe.supervision} supervision, not {supervision}",
            fix=f'take it for the other: recipes["{recipe.name}"]("{supervision}")',
        )
    return compose(recipe, registry, wishes, choices)


def load_run(path: str | Path) -> LoadedRun:
    """Open a run folder: composition, model with its best weights, result.

    Raises:
        RunError: it is no run folder, or is damaged.
        UnknownNameError: the plugin of its recipe or of a component is not loaded.
        OptionError: an option is not known any more, or its value is not valid.
    """
    from avelzoo import engine

    return engine.load_run(Path(path), default_host().registry)


def compose(
    recipe: Recipe, registry: Registry, overrides: Sequence[Override] = (), choices: Mapping[str, str] | None = None
) -> Composition:
    """A recipe object with provenance: its values come from "python", the data set's budget is not applied.

    Args:
        recipe: with the name of a registered recipe, any values.
        registry: where its components are registered.
        overrides: single values that replace the recipe's.
        choices: names of components that replace the recipe's.

    Raises:
        UsageError: recipe or components are not registered, or a wish cannot be fulfilled.
    """
    own = {slot: _name(registry, recipe, slot) for slot in KINDS}
    named = resolve(
        registry,
        recipe.name,
        supervision=recipe.supervision,
        choices=own | dict(choices or {}),
        overrides=overrides,
    )
    wished = {wish.path: wish.source for wish in overrides}
    changes: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for slot in SLOTS:
        config, found = recipe.slot(slot), named.recipe.slot(slot)
        names = [o.name for o in options_of(type(found))]
        if type(config) is type(found):
            taken = {n: getattr(found, n) for n in names if f"{slot}.{n}" in wished}
            changes[slot] = replace(config, **taken)
            sources |= {f"{slot}.{n}": wished.get(f"{slot}.{n}", "python") for n in names}
        else:
            changes[slot] = found
            sources |= {f"{slot}.{n}": named.sources[f"{slot}.{n}"] for n in names}
    return Composition(replace(recipe, **changes), named.entries, sources, named.owner)


def folder_name(composition: Composition) -> str:
    """Name of a new run folder: recipe, encoder, supervision and seed."""
    recipe = composition.recipe
    encoder = composition.entries["encoder"].name
    return f"{recipe.name}-{encoder}-{recipe.supervision}-seed{recipe.train.seed}"


def _name(registry: Registry, recipe: Recipe, slot: str) -> str:
    entry = registry.entry_of(recipe.components()[slot])
    if entry is None:
        raise UsageError(
            f"the {slot} {type(recipe.slot(slot)).__name__} is not registered",
            fix="register it in a plugin, so that the run can be loaded again",
        )
    return entry.qualified
