"""The library in a few calls: recipes by name, running, and loading a run."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from avelzoo.components import Supervision
from avelzoo.composition.overrides import Override
from avelzoo.composition.recipe import Recipe
from avelzoo.composition.resolving import PYTHON, Composition, resolve
from avelzoo.config import Bounds, checked, native
from avelzoo.errors import UsageError
from avelzoo.plugin.default import default_host
from avelzoo.plugin.listeners import Listener, plugin_listeners, require_listeners

if TYPE_CHECKING:
    from avelzoo.engine import LoadedRun, RunResult
    from avelzoo.plugin.host import PluginHost
    from avelzoo.plugin.registry import RecipeFactory, Registry


class Recipes(Mapping[str, "RecipeFactory"]):
    """Recipes by name: ``recipes["ead-b"]("weak")`` is a `Recipe`. ``recipes.of(host)`` are the recipes of a host."""

    def __init__(self, host: PluginHost | None = None) -> None:
        self._host = host

    @property
    def _registry(self) -> Registry:
        return (self._host or default_host()).registry

    def of(self, host: PluginHost) -> Recipes:
        """The recipes registered in a host."""
        return Recipes(host)

    def __getitem__(self, name: str) -> RecipeFactory:
        factory: RecipeFactory = self._registry.get("recipe", name).target
        return factory

    def __iter__(self) -> Iterator[str]:
        return iter(self._registry.names("recipe"))

    def __len__(self) -> int:
        return len(self._registry.names("recipe"))

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
    decoder: str | None = None,
    options: Mapping[str, Any] | None = None,
    seed: int | None = None,
    out: str | Path | None = None,
    resume: bool = False,
    device: str = "auto",
    devices: int = 1,
    nodes: int = 1,
    progress: bool = False,
    listeners: Sequence[Listener] = (),
    host: PluginHost | None = None,
) -> RunResult:
    """Train and evaluate, as `avelzoo run` does.

    Numbers may be of Python, NumPy or PyTorch. The run is isolated from the caller's PyTorch and NumPy state, random
    generators included, and restores it: the same call gives the same numbers after ``torch.set_default_dtype``, under
    ``torch.no_grad``, autocast, a default device or any seed.

    If several threads call this function, they run one after another, because a process has one set of random
    generators. `avelzoo.sweep` with the launcher ``local`` runs several jobs in parallel processes.

    Args:
        recipe: a name, or a `Recipe`, for example changed with ``dataclasses.replace``. A data set's training values
            replace those of a recipe given by name, not those of a `Recipe`, whose name and parts need not be
            registered.
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
        decoder: name of another decoder.
        options: values by ``slot.option``, such as ``{"memory.size": 8}``.
        seed: value of the option ``train.seed``.
        out: run folder; by default a new one under ``runs/``.
        resume: resume the run in ``out``.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        devices: processes on this machine, one device each; they split every batch.
        nodes: number of machines with ``devices`` processes each; each machine makes the same call.
        progress: show a progress bar if stderr is a terminal.
        listeners: receive the run's events, in addition to plugins.
        host: host of the components and listening plugins; by default all installed plugins.

    Raises:
        AvelzooError: an error that users can solve.

    >>> run("single-branch", encoder="mean-pool", options={"train.epochs": 1}).epochs
    1
    """
    from avelzoo import engine

    resume = checked("run.resume", bool, resume, default=False)
    heard = require_listeners(listeners)
    bar = [engine.ProgressBar()] if checked("run.progress", bool, progress, default=False) else []
    devices, nodes = (
        checked(f"run.{name}", int, value, bounds=Bounds(min=1), default=1)
        for name, value in (("devices", devices), ("nodes", nodes))
    )
    if resume and out is None:
        raise UsageError("resuming needs a run folder", fix="pass the folder: run(..., out=RUN_DIR, resume=True)")
    host = host or default_host()
    overrides = [*Override.from_mapping(options, PYTHON)]
    overrides += [] if seed is None else [Override("train.seed", native(seed), PYTHON)]
    choices = {
        "dataset": dataset,
        "sampler": sampler,
        "transform": transform,
        "encoder": encoder,
        "memory": memory,
        "head": head,
        "objective": objective,
        "optimizer": optimizer,
        "schedule": schedule,
        "decoder": decoder,
    }
    composition = resolve(host.registry, recipe, supervision=supervision, choices=choices, overrides=overrides)
    with nullcontext(Path(out)) if out is not None else engine.new_folder(folder_name(composition)) as folder:
        return engine.run(
            composition,
            folder,
            registry=host.registry,
            resume=resume,
            device=str(device),
            devices=devices,
            nodes=nodes,
            command=sys.argv,
            listeners=[*bar, *heard, *plugin_listeners(host)],
        )


def load_run(path: str | Path, *, host: PluginHost | None = None) -> LoadedRun:
    """Open a run folder: composition, model with its best weights, result.

    Args:
        path: run folder.
        host: host of the components; by default all installed plugins.

    Raises:
        RunError: the folder holds no run or is damaged.
        UnknownNameError: the plugin of the recipe or a component is not loaded, or a class from a notebook or script
            is not defined in this process.
        OptionError: an option no longer exists, or its value is invalid.

    >>> folder = run("single-branch", encoder="mean-pool", options={"train.epochs": 1}).run_dir
    >>> load_run(folder).composition.entries["encoder"].name
    'mean-pool'
    """
    from avelzoo import engine

    return engine.load_run(Path(path), (host or default_host()).registry)


def folder_name(composition: Composition) -> str:
    """Name of a new run folder: recipe, encoder, supervision and seed."""
    recipe = composition.recipe
    encoder = composition.entries["encoder"].name
    return f"{recipe.name}-{encoder}-{recipe.supervision}-seed{recipe.train.seed}"
