"""From what a user typed to a checked composition: shared by `run` and `show recipe`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast, get_args

from avelzoo.components import DatasetConfig, Supervision
from avelzoo.composition.resolving import Composition, Override, resolve
from avelzoo.config import options
from avelzoo.errors import UnknownNameError, UsageError, did_you_mean
from avelzoo.plugin.registry import Registry

FOLDER_DATASET = "ave"
"""The data set that ``--data DIR`` means unless another one that reads a folder is chosen."""


@dataclass(frozen=True)
class Wishes:
    """What a user asked for on top of a recipe.

    Attributes:
        recipe: its name.
        supervision: ``full`` or ``weak``.
        slots: component names by slot, None where nothing was said.
        file: a settings file.
        data: folder of the data set.
        overrides: single values.
    """

    recipe: str
    supervision: str = "full"
    slots: Mapping[str, str | None] = field(default_factory=dict)
    file: Path | None = None
    data: Path | None = None
    overrides: Iterable[Override] = ()


def compose(registry: Registry, wishes: Wishes) -> Composition:
    """The composition that fulfils the wishes.

    Raises:
        UsageError: a name, option or value does not exist or does not fit.
    """
    known = get_args(Supervision)
    if wishes.supervision not in known:
        raise UsageError(
            f"unknown supervision '{wishes.supervision}'" + did_you_mean(wishes.supervision, known),
            expected=" or ".join(known),
        )
    supervision = cast("Supervision", wishes.supervision)
    choices = {slot: name for slot, name in wishes.slots.items() if name is not None}
    overrides = list(wishes.overrides)
    if wishes.data is not None:
        overrides.append(Override("dataset.root", str(wishes.data), "--data"))
        if "dataset" not in choices:
            chosen = resolve(registry, wishes.recipe, supervision=supervision, choices=choices, file=wishes.file)
            if not reads_folder(chosen.recipe.dataset):
                choices["dataset"] = FOLDER_DATASET
    return resolve(
        registry, wishes.recipe, supervision=supervision, choices=choices, overrides=overrides, file=wishes.file
    )


def reads_folder(dataset: DatasetConfig) -> bool:
    """Whether a data set is told by its option ``root`` where its files are."""
    return "root" in {option.name for option in options(type(dataset))}


def relocated(composition: Composition, data: Path) -> Composition:
    """The composition with its data in another folder.

    Raises:
        UsageError: its data set reads no folder.
    """
    dataset = composition.recipe.dataset
    if not reads_folder(dataset):
        raise UsageError(
            f"the run's data set '{composition.entries['dataset'].name}' reads no folder",
            found=f"--data {data}",
            fix="leave out --data",
        )
    recipe = replace(composition.recipe, dataset=replace(dataset, root=data))  # type: ignore[call-arg]
    return replace(composition, recipe=recipe, sources={**composition.sources, "dataset.root": "--data"})


def settings(texts: Iterable[str]) -> list[Override]:
    """The values of ``--set slot.option=value``."""
    return [Override.parse(text) for text in texts]


def need_recipe(registry: Registry, recipe: str | None) -> str:
    """The recipe's name, or an error that lists all recipes.

    Raises:
        UnknownNameError: no recipe was named.
    """
    if recipe is None:
        raise UnknownNameError(
            "which recipe?",
            expected=", ".join(registry.names("recipe")),
            fix="for example `avelzoo run ead-b --encoder st-fusion`; `avelzoo list recipes` says what each one is",
        )
    return recipe
