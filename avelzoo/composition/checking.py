"""Whether the parts of a composition work together; a composition that cannot work is refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from avelzoo.channels import Need, clash, met_by
from avelzoo.components import Term
from avelzoo.composition.recipe import Recipe
from avelzoo.composition.terms import GIVING, givers, loss_terms, sources_of, trains_head
from avelzoo.errors import CompositionError
from avelzoo.plugin.declared import declared_by
from avelzoo.plugin.registry import Registry


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
    given = givers(recipe)
    for slot, part in recipe.components().items():
        name = _name(registry, recipe, slot)
        if recipe.supervision not in part.supervisions:
            raise CompositionError(
                f"the {slot} '{name}' does not work under {recipe.supervision} supervision",
                expected=f"supervision {' or '.join(part.supervisions)}",
                fix="choose among: " + _works_under(registry, slot, recipe.supervision),
            )
        for channel in part.gives(recipe.supervision):
            if given[channel] != slot:
                raise CompositionError(
                    f"the {slot} '{name}' and the {given[channel]} '{_name(registry, recipe, given[channel])}'"
                    f" both give the channel '{channel}'",
                    fix="replace one of the two",
                )
        for need in sorted(part.reads(recipe.supervision), key=str):
            if not met_by(need, given):
                raise CompositionError(
                    f"the {slot} '{name}' reads {need}, which no other part gives",
                    found=_others(registry, recipe, slot),
                    fix=_remedy(registry, recipe, slot, [need]),
                )
    require_single_runs(recipe, registry, several=recipe.dataset.single_runs is False)
    _check_names(recipe, registry)
    _check_terms(recipe, registry, sources)


def fits(recipe: Recipe) -> bool:
    """Whether the parts fit, including all own terms of the objective; `check` gives the reasons if not."""
    given, states = givers(recipe), loss_terms(recipe)
    return (
        all(recipe.supervision in part.supervisions for part in recipe.components().values())
        and all(met_by(n, given) for part in recipe.components().values() for n in part.reads(recipe.supervision))
        and not any(state.term.own and state.term.weight > 0 and state.missing for state in states)
        and any(trains_head(state) for state in states)
    )


def require_single_runs(recipe: Recipe, registry: Registry | None = None, *, several: bool) -> None:
    """Refuse a decoder of single runs beside data with ``several`` runs per video.

    Raises:
        CompositionError: the decoder does not fit the data; the error names decoders of ``registry`` that do.
    """
    if several and recipe.decoder.single_runs:
        entries = registry.entries("decoder") if registry else ()
        names = {e.target: e.name for e in entries}
        others = [f"--decoder {e.name}" for e in entries if not e.target.single_runs]
        raise CompositionError(
            f"the decoder '{names.get(type(recipe.decoder), recipe.decoder.kind)}' finds one event run per video",
            found="videos with several event runs in the data",
            fix="use data whose events are single runs" + (f", or one of: {', '.join(others)}" if others else ""),
        )


def _check_names(recipe: Recipe, registry: Registry) -> None:
    """Refuse two channels of one name."""
    known = registry.channels
    for slot, part in recipe.components().items():
        declared = declared_by(part, recipe.supervision)
        if found := clash(declared, known):
            name = _name(registry, recipe, slot)
            raise CompositionError(f"the {slot} '{name}' gives a channel's name to another one", found=found)
        known |= {channel.name: channel for channel in declared}


def _check_terms(recipe: Recipe, registry: Registry, sources: Mapping[str, str] | None) -> None:
    states, name = loss_terms(recipe), _name(registry, recipe, "objective")
    for option, supervision in recipe.objective.only_under.items():
        if supervision != recipe.supervision and _given_by_hand([option], sources or {}):
            raise CompositionError(
                f"the option '{option}' of the objective '{name}' counts under {supervision} supervision alone",
                where=f"objective.{option}",
                found=f"supervision {recipe.supervision}",
                fix="leave the option out",
            )
    for state in states:
        term = state.term
        asked = term.own if sources is None else _asked_for(term, sources)
        if term.weight > 0 and state.missing and asked:
            zero = f"; or leave the term out: objective.{term.options[0]} = 0" if term.options else ""
            raise CompositionError(
                f"the loss term '{term.name}' of the objective '{name}' has no input: no part gives "
                + " and ".join(map(str, state.missing)),
                where=", ".join(f"objective.{option}" for option in term.options),
                found=_others(registry, recipe, "objective"),
                fix=_remedy(registry, recipe, "objective", state.missing) + zero,
            )
    if not any(map(trains_head, states)):
        missing = [need for state in states for need in state.missing]
        raise CompositionError(
            f"no term of the objective '{name}' trains the head",
            found="; ".join(f"{state.name}: {state.reason or 'of the ' + state.given_by[0]}" for state in states),
            fix=_remedy(registry, recipe, "objective", missing, kinds=("head",))
            if missing
            else "give a weight above 0 to a term that has input",
        )


def _asked_for(term: Term, sources: Mapping[str, str]) -> bool:
    """Whether a user or a component asked for a term, rather than a recipe whose parts were swapped."""
    by_default = any(sources.get(f"objective.{option}", "").startswith("default of ") for option in term.options)
    return _given_by_hand(term.options, sources) or (term.own and by_default)


def _given_by_hand(options: Iterable[str], sources: Mapping[str, str]) -> bool:
    """Whether a user gave one of the objective's options."""
    said = {sources.get(f"objective.{option}", "") for option in options}
    if any(source == "sweep" or source.startswith(("--", "file ")) for source in said):
        return True
    # A `Recipe` handed over as a value has the source "python" throughout; single options given there stand out.
    every = {source for path, source in sources.items() if path.startswith("objective.")}
    return "python" in said and every != {"python"}


def _name(registry: Registry, recipe: Recipe, slot: str) -> str:
    part = recipe.components()[slot]
    entry = registry.entry_of(part)
    return entry.name if entry else type(part).__name__


def _others(registry: Registry, recipe: Recipe, slot: str) -> str:
    others = ("dataset", "encoder", "memory", "head", "objective")  # parts of training give nothing to others
    return ", ".join(f"{other} '{_name(registry, recipe, other)}'" for other in others if other != slot)


def _works_under(registry: Registry, slot: str, supervision: str) -> str:
    return ", ".join(e.name for e in registry.entries(slot) if supervision in e.target.supervisions)


def _remedy(
    registry: Registry, recipe: Recipe, slot: str, needs: Iterable[Need], kinds: tuple[str, ...] = GIVING
) -> str:
    """Components that give the missing channels; for an objective, also objectives that do not need them."""
    sources = sources_of(registry, recipe, needs)
    found = [f"--{kind} {name}" for kind, names in sources.items() if kind in kinds and kind != slot for name in names]
    fix = f"use one of: {', '.join(found)}" if found else "load a plugin that gives it: nothing registered does"
    if slot == "decoder":
        given = givers(recipe)
        works = [
            f"--decoder {e.name}"
            for e in registry.entries(slot)
            if all(met_by(need, given) for need in e.target().reads(recipe.supervision))
            and not (e.target.single_runs and recipe.dataset.single_runs is False)
        ]
        fix += f"; or another decoder: {', '.join(works)}" if works else ""
    if slot == "objective":
        entries = [e for e in registry.entries(slot) if e.target is not type(recipe.objective)]
        others = [f"--objective {e.name}" for e in entries if fits(replace(recipe, objective=e.target()))]
        fix += f"; or train other terms: {', '.join(others)}" if others else ""
    return fix
