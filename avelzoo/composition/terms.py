"""Loss terms of a composition: trained ones, and for the others the missing input and parts that give it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from avelzoo.channels import ENCODED, Channel, Need, channels_of, met_by
from avelzoo.components import ComponentConfig, Term
from avelzoo.composition.recipe import Recipe
from avelzoo.plugin.registry import Registry

GIVING = ("encoder", "memory", "head")


@dataclass(frozen=True)
class TermState:
    """Whether a loss term trains in a composition.

    Attributes:
        term: as its objective lists it.
        given_by: slots whose components give its input, in the order of what it needs.
        missing: what it needs and no component gives.
        sources: components that would give what is missing, such as "encoder cpsp, psp".
        parameters: whether the encoder, or a component that gives its input, has parameters to train.
    """

    term: Term
    given_by: tuple[str, ...]
    missing: tuple[Need, ...]
    sources: tuple[str, ...] = ()
    parameters: bool = True

    @property
    def name(self) -> str:
        """The term's."""
        return self.term.name

    @property
    def trains(self) -> bool:
        """Whether it has input and a weight above 0."""
        return self.term.weight > 0 and not self.missing

    @property
    def learns(self) -> bool:
        """Whether it trains and there is something to train."""
        return self.trains and self.parameters

    @property
    def reason(self) -> str:
        """Why nothing is trained by it; empty where something is."""
        if self.missing:
            by = f"; given by {'; '.join(self.sources)}" if self.sources else ""
            return f"needs {' and '.join(map(str, self.missing))}{by}"
        if not self.trains:
            return "its weight is 0"
        return "" if self.parameters else f"no parameters in {' and '.join(dict.fromkeys(('encoder', *self.given_by)))}"

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "weight": self.term.weight,
            "trains": self.learns,
            "reason": self.reason,
            "given_by": list(self.given_by),
        }


def loss_terms(recipe: Recipe, registry: Registry | None = None) -> tuple[TermState, ...]:
    """Decide which loss terms of a composition train, from the declarations of its parts; nothing is built.

    Args:
        recipe: every part.
        registry: where to look for parts that would give what is missing; without it none are named.
    """
    given = givers(recipe)
    states, parts = [], recipe.components()
    for term in recipe.objective.terms(recipe.supervision):
        missing = tuple(need for need in term.needs if not met_by(need, given))
        slots = tuple(dict.fromkeys(given[channel] for need in term.needs for channel in met_by(need, given)))
        found = {} if registry is None else sources_of(registry, recipe, missing)
        sources = tuple(f"{kind} {', '.join(names)}" for kind, names in found.items())
        parameters = any(parts[slot].has_parameters for slot in ("encoder", *slots))
        states.append(TermState(term, slots, missing, sources, parameters))
    return tuple(states)


def trains_head(state: TermState) -> bool:
    """Whether a term trains the head from the first epoch on."""
    return state.trains and not state.term.late and "head" in state.given_by


def givers(recipe: Recipe) -> dict[Channel, str]:
    """The slot that gives each channel of a composition."""
    parts = recipe.components()
    given = dict.fromkeys(ENCODED, "encoder")
    return given | {channel: slot for slot in GIVING for channel in parts[slot].gives(recipe.supervision)}


def sources_of(registry: Registry, recipe: Recipe, needs: Iterable[Need]) -> dict[str, list[str]]:
    """Compatible components that give some of the missing channels, by kind."""
    wanted = channels_of(*needs)
    found = {
        kind: [e.name for e in registry.entries(kind) if wanted and _fits(recipe, kind, e.target(), wanted)]
        for kind in GIVING
    }
    return {kind: names for kind, names in found.items() if names}


def _fits(recipe: Recipe, kind: str, config: ComponentConfig, wanted: frozenset[Channel]) -> bool:
    rest = {channel for channel, slot in givers(recipe).items() if slot != kind or channel in ENCODED}
    return (
        recipe.supervision in config.supervisions
        and bool(wanted & config.gives(recipe.supervision))
        and all(met_by(need, rest) for need in config.reads(recipe.supervision))
    )
