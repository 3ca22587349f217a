"""From a recipe to a model: first whether the parts fit and which loss terms train, then building them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from avelzoo.components import ComponentConfig, ObjectiveConfig, Term
from avelzoo.composition.recipe import Recipe
from avelzoo.errors import CompositionError
from avelzoo.plugin.registry import Registry

if TYPE_CHECKING:
    from avelzoo.composition.model import Model
    from avelzoo.records import FeatureSpec


@dataclass(frozen=True)
class TermState:
    """Whether a loss term trains in a composition.

    Attributes:
        name: of the term.
        weight: in the loss.
        given_by: slots whose components give its input, in the order of what it needs.
        missing: what it needs and no component gives; alternatives are joined by "or".
    """

    name: str
    weight: float
    given_by: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def trains(self) -> bool:
        """Whether it has input and a weight above 0."""
        return self.weight > 0 and not self.missing

    @property
    def reason(self) -> str:
        """Why it does not train; empty where it does."""
        if self.missing:
            return f"no part gives {' and '.join(self.missing)}"
        return "" if self.trains else "its weight is 0"

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return {"weight": self.weight, "trains": self.trains, "reason": self.reason, "given_by": list(self.given_by)}


def check(recipe: Recipe, registry: Registry, sources: Mapping[str, str] | None = None) -> None:
    """Refuse a composition that cannot work, before anything is allocated.

    Args:
        recipe: every part.
        registry: where the parts are registered.
        sources: where each ``slot.option`` value comes from, as in `Composition`. A term without input is refused where
            it was asked for: by one of its options, or by choosing an objective made for it. A recipe's own objective
            goes on without it beside parts that were swapped in. Without sources every term that its objective was
            made for needs its input.

    Raises:
        CompositionError: a component lacks something no other one provides, or cannot work under the supervision; a
            loss term that was asked for has no input, or no term trains.
    """
    parts = recipe.components()
    provided = frozenset(_givers(recipe))
    for slot, part in parts.items():
        name = _name(registry, recipe, slot)
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
                    f"the {slot} '{name}' needs {_either(need)}, which no other part provides",
                    found=_others(registry, recipe, slot),
                    fix=_remedy(registry, recipe, slot, [need]),
                )
    _check_terms(recipe, registry, sources)


def loss_terms(recipe: Recipe) -> tuple[TermState, ...]:
    """Which loss terms of a composition train and which do not, by what its parts declare; nothing is built."""
    givers = _givers(recipe)
    states = []
    for name, term in recipe.objective.terms.items():
        found = [next((givers[a] for a in need.split("|") if a in givers), None) for need in term.needs]
        missing = tuple(_either(need) for need, slot in zip(term.needs, found, strict=True) if slot is None)
        given_by = tuple(dict.fromkeys(slot for slot in found if slot is not None))
        states.append(TermState(name, term.weight, given_by, missing))
    return tuple(states)


def build(recipe: Recipe, spec: FeatureSpec) -> Model:
    """The model of a recipe for features of ``spec``'s sizes, in float32 on the CPU whatever the caller's defaults are.

    Initial weights are drawn from PyTorch's global generator, as those of every module.
    """
    from avelzoo.composition.model import Model
    from avelzoo.system.isolation import isolated

    with isolated(generators=False):
        encoder = recipe.encoder.build(spec)
        memory = recipe.memory.build(spec, encoder.widths, recipe.supervision)
        head = recipe.head.build(spec, encoder.widths, recipe.supervision)
        return Model(encoder, memory, head, recipe.objective.build(spec))


def _check_terms(recipe: Recipe, registry: Registry, sources: Mapping[str, str] | None) -> None:
    declared, states = recipe.objective.terms, loss_terms(recipe)
    name = _name(registry, recipe, "objective")
    for state in states:
        term = declared[state.name]
        if state.weight > 0 and state.missing and _asked_for(term, sources):
            lacking = [need for need in term.needs if _either(need) in state.missing]
            zero = f"; or leave the term out: objective.{term.options[0]} = 0" if term.options else ""
            raise CompositionError(
                f"the loss term '{state.name}' of the objective '{name}' has no input: {state.reason}",
                where=", ".join(f"objective.{option}" for option in term.options),
                found=_others(registry, recipe, "objective"),
                fix=_remedy(registry, recipe, "objective", lacking) + zero,
            )
    if states and not any(state.trains for state in states):
        raise CompositionError(
            f"no term of the objective '{name}' trains",
            found="; ".join(f"{state.name}: {state.reason}" for state in states),
            fix="give a weight above 0 to a term that has input",
        )


def _asked_for(term: Term, sources: Mapping[str, str] | None) -> bool:
    """Whether a user or a component asked for a term, rather than a recipe whose parts were swapped."""
    if sources is None:
        return term.own
    every = {source for path, source in sources.items() if path.startswith("objective.")}
    said = {sources.get(f"objective.{option}", "") for option in term.options}
    by_hand = any(source.startswith(("--", "file ")) for source in said)
    # A `Recipe` handed over as a value has the source "python" throughout; single options given there stand out.
    by_hand |= "python" in said and every != {"python"}
    return by_hand or (term.own and any(source.startswith("default of ") for source in said))


def _givers(recipe: Recipe) -> dict[str, str]:
    """The slot that gives each capability; of several, the last: a head hands on what its encoder gives."""
    parts = recipe.components()
    return {gift: slot for slot, part in parts.items() for gift in part.provides_under(recipe.supervision)}


def _either(need: str) -> str:
    return " or ".join(sorted(need.split("|")))


def _name(registry: Registry, recipe: Recipe, slot: str) -> str:
    part = recipe.components()[slot]
    entry = registry.entry_of(part)
    return entry.name if entry else type(part).__name__


def _others(registry: Registry, recipe: Recipe, slot: str) -> str:
    return ", ".join(f"{other} '{_name(registry, recipe, other)}'" for other in recipe.components() if other != slot)


def _works_under(registry: Registry, slot: str, supervision: str) -> str:
    return ", ".join(e.name for e in registry.entries(slot) if supervision in e.target.supervisions)


def _remedy(registry: Registry, recipe: Recipe, slot: str, needs: list[str]) -> str:
    """Components that would give what is missing, and for an objective those that do without."""
    wanted = {alternative for need in needs for alternative in need.split("|")}
    found = [
        f"--{kind} {entry.name}"
        for kind in ("encoder", "memory", "head", "objective")
        for entry in registry.entries(kind)
        if kind != slot and _fits(recipe, kind, entry.target(), wanted)
    ]
    fix = "use one of: " + (", ".join(found) or "nothing registered provides it")
    if slot == "objective":
        provided = set(_givers(recipe))
        entries = [e for e in registry.entries(slot) if e.target is not type(recipe.objective)]
        others = [f"--objective {e.name}" for e in entries if _does_without(recipe, e.target(), provided)]
        fix += f"; or train other terms: {', '.join(others)}" if others else ""
    return fix


def _fits(recipe: Recipe, kind: str, config: ComponentConfig, wanted: set[str]) -> bool:
    """Whether a component gives something wanted and finds what it needs itself in the rest of the recipe."""
    rest = {gift for gift, slot in _givers(recipe).items() if slot != kind}
    return (
        recipe.supervision in config.supervisions
        and bool(wanted & config.provides_under(recipe.supervision))
        and all(set(need.split("|")) & rest for need in config.requires)
    )


def _does_without(recipe: Recipe, objective: ObjectiveConfig, provided: set[str]) -> bool:
    """Whether all that an objective requires, and the terms it was made for, have input."""
    needs = [*objective.requires, *(need for term in objective.terms.values() if term.own for need in term.needs)]
    return recipe.supervision in objective.supervisions and all(set(need.split("|")) & provided for need in needs)
