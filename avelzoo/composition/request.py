"""A request for a run before it is resolved, so that it can be varied and compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from avelzoo.composition.overrides import Override
from avelzoo.composition.recipe import Recipe
from avelzoo.composition.resolving import Composition, overridden, resolve, with_data
from avelzoo.errors import UsageError
from avelzoo.plugin.registry import Registry


@dataclass(frozen=True)
class RunRequest:
    """The arguments of `resolve` as one record.

    Attributes:
        recipe: name of a recipe, or a `Recipe`.
        supervision: ``full`` or ``weak``.
        choices: component names by slot; None is ignored.
        overrides: values by ``slot.option``.
        file: settings file.
        data: data folder.
    """

    recipe: Recipe | str | None
    supervision: str | None = None
    choices: Mapping[str, str | None] = field(default_factory=dict)
    overrides: tuple[Override, ...] = ()
    file: Path | None = None
    data: Path | None = None

    def __post_init__(self) -> None:
        chosen = {slot: name for slot, name in self.choices.items() if name is not None}
        object.__setattr__(self, "choices", chosen)

    def resolve(self, registry: Registry) -> Composition:
        """Resolve the request to a composition.

        Raises:
            UsageError: a name or option does not exist, or a value is invalid.
        """
        return resolve(registry, **vars(self))


@dataclass(frozen=True)
class Preview:
    """A request without its overrides, resolved; it determines the options that overrides may set.

    Attributes:
        request: the request.
        composition: the composition it resolves to.
    """

    request: RunRequest
    composition: Composition

    def complete(self, registry: Registry, request: RunRequest) -> Composition:
        """The composition of a request; a request that differs only in overrides is not resolved again."""
        if replace(request, overrides=()) != self.request:
            return request.resolve(registry)
        return overridden(self.composition, with_data(request.overrides, request.data))


def relocated(composition: Composition, data: Path) -> Composition:
    """The composition with another data folder.

    Raises:
        UsageError: the data set reads no folder.
    """
    if not composition.recipe.dataset.reads_folder:
        raise UsageError(
            f"the run's data set '{composition.entries['dataset'].name}' reads no folder",
            found=f"--data {data}",
            fix="remove --data",
        )
    return overridden(composition, with_data((), data))
