"""What a user asks for, before it is resolved: kept together, varied and compared."""

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
    """The arguments of `resolve`, kept together.

    Attributes:
        recipe: its name, or a `Recipe`.
        supervision: ``full`` or ``weak``.
        choices: component names by slot; those that are None are left out.
        overrides: single values.
        file: a settings file.
        data: folder of the data set.
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
        """The composition that is asked for.

        Raises:
            UsageError: a name, option or value does not exist or does not fit.
        """
        return resolve(registry, **vars(self))


@dataclass(frozen=True)
class Preview:
    """A request without its overrides, resolved: enough to know which options the overrides may set.

    Attributes:
        request: what was asked for.
        composition: what it is.
    """

    request: RunRequest
    composition: Composition

    def complete(self, registry: Registry, request: RunRequest) -> Composition:
        """The composition of a request, which is not resolved again where the overrides alone are new."""
        if replace(request, overrides=()) != self.request:
            return request.resolve(registry)
        return overridden(self.composition, with_data(request.overrides, request.data))


def relocated(composition: Composition, data: Path) -> Composition:
    """The composition with its data in another folder.

    Raises:
        UsageError: its data set reads no folder.
    """
    if not composition.recipe.dataset.reads_folder:
        raise UsageError(
            f"the run's data set '{composition.entries['dataset'].name}' reads no folder",
            found=f"--data {data}",
            fix="leave out --data",
        )
    return overridden(composition, with_data((), data))
