"""From a recipe to a model: first whether the parts fit, then building them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from avelzoo.errors import CompositionError
from avelzoo.recipe import Recipe
from avelzoo.registry import Registry

if TYPE_CHECKING:
    from avelzoo.model import Model
    from avelzoo.records import FeatureSpec


def check(recipe: Recipe, registry: Registry) -> None:
    """Refuse a composition that cannot work, before anything is allocated.

    Raises:
        CompositionError: a component lacks something no other one provides, or cannot work under the supervision.
    """
    parts = recipe.components()
    provided = frozenset[str]().union(*(part.provides for part in parts.values()))
    for slot, part in parts.items():
        entry = registry.entry_of(part)
        name = entry.name if entry else type(part).__name__
        if recipe.supervision not in part.supervisions:
            raise CompositionError(
                f"the {slot} '{name}' does not work under {recipe.supervision} supervision",
                expected=f"supervision {' or '.join(part.supervisions)}",
                fix="choose among: " + _works_under(registry, slot, recipe.supervision),
            )
        for need in sorted(part.requires):
            alternatives = set(need.split("|"))
            if not alternatives & provided:
                raise CompositionError(
                    f"the {slot} '{name}' needs {' or '.join(sorted(alternatives))}, which no other part provides",
                    found=", ".join(f"{s} '{_name(registry, recipe, s)}'" for s in parts if s != slot),
                    fix="use one of: " + (_providers(registry, alternatives) or "nothing registered provides it"),
                )


def build(recipe: Recipe, spec: FeatureSpec) -> Model:
    """The model of a recipe for features of ``spec``'s sizes."""
    from avelzoo.model import Model

    encoder = recipe.encoder.build(spec)
    memory = recipe.memory.build(spec, encoder.widths, recipe.supervision)
    head = recipe.head.build(spec, encoder.widths, recipe.supervision)
    return Model(encoder, memory, head, recipe.objective.build(spec))


def _name(registry: Registry, recipe: Recipe, slot: str) -> str:
    part = recipe.components()[slot]
    entry = registry.entry_of(part)
    return entry.name if entry else type(part).__name__


def _works_under(registry: Registry, slot: str, supervision: str) -> str:
    return ", ".join(e.name for e in registry.entries(slot) if supervision in e.target.supervisions)


def _providers(registry: Registry, alternatives: set[str]) -> str:
    found: list[str] = []
    for kind in ("encoder", "memory", "head", "objective"):
        entries = registry.entries(kind)
        found += [f"--{kind} {e.name}" for e in entries if alternatives & e.target().provides]
    return ", ".join(found)
