"""From axes and seeds to trials: complete compositions, checked before any run starts."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from avelzoo.components import KINDS
from avelzoo.composition.checking import check
from avelzoo.composition.overrides import Override
from avelzoo.composition.recipe import RECORDS, SLOTS
from avelzoo.composition.request import RunRequest
from avelzoo.composition.resolving import Composition
from avelzoo.config import options
from avelzoo.errors import AvelzooError, UsageError, did_you_mean, some
from avelzoo.plugin.registry import Registry
from avelzoo.sweeps.plan import SEED, Axis, Trial, as_text

WHOLE = ("recipe", "supervision", *KINDS)
"""Axes other than ``slot.option``."""

LONGEST_NAME = 120


def expand(
    registry: Registry, axes: Sequence[Axis], seeds: int | Sequence[int] | None, shared: RunRequest
) -> list[Trial]:
    """Trials of every combination of axis values with every seed.

    Args:
        registry: registry of the components.
        axes: axes of the sweep.
        seeds: number of seeds, counted up from the composition's seed, or a list of seeds; None for one seed.
        shared: request that all cells share.

    Raises:
        UsageError: an axis is invalid, or combinations cannot be run; the error names all of them.
    """
    _require_sound(axes, seeds)
    made: list[tuple[dict[str, Any], Composition]] = []
    faults: list[tuple[str, AvelzooError]] = []
    for values in itertools.product(*(axis.values for axis in axes)):
        typed = dict(zip((axis.name for axis in axes), values, strict=True))
        try:
            composition = _cell_request(shared, typed).resolve(registry)
            check(composition.recipe, registry, composition.sources)
        except AvelzooError as error:
            faults.append((_text(typed), error))
        else:
            made.append((_cell(typed, composition), composition))
    if faults:
        raise _refusal(faults, len(faults) + len(made))
    first = [_seeds(seeds, composition) for _, composition in made]
    trials = [
        _trial({name: value for name, value in cell.items() if name != SEED}, _seeded(composition, own[turn], seeds))
        for turn in range(max(map(len, first)))
        for (cell, composition), own in zip(made, first, strict=True)
    ]
    _require_different(trials)
    return list(_named(trials))


def require_unclaimed(axes: Sequence[Axis], given: Mapping[str, str]) -> None:
    """Refuse an axis that is also set by another option; ``given`` maps names to these options.

    Raises:
        UsageError: an axis is also set.
    """
    for axis in axes:
        if axis.name in given:
            raise UsageError(
                f"'{axis.name}' is both swept and set",
                found=f"--sweep {axis.name}=... and {given[axis.name]}",
                fix="keep one of the two",
            )


def _require_sound(axes: Sequence[Axis], seeds: int | Sequence[int] | None) -> None:
    for name, count in Counter(axis.name for axis in axes).items():
        slot, dot, option = name.partition(".")
        if name not in WHOLE and not (slot in SLOTS and dot and option):
            known = [*WHOLE, *(f"{kind}.{o.name}" for kind, record in RECORDS.items() for o in options(record))]
            raise UsageError(
                f"'{name}' cannot be swept" + did_you_mean(name, known),
                expected="slot.option, such as optimizer.learning_rate, or one of " + ", ".join(WHOLE),
            )
        if count > 1:
            raise UsageError(f"'{name}' is swept twice", fix=f"give all values in one axis: --sweep {name}=A,B")
    for axis in axes:
        twice = [text for text, count in Counter(map(str, axis.values)).items() if count > 1]
        if twice or not axis.values:
            raise UsageError(
                f"'{axis.name}' has a duplicate value" if twice else f"'{axis.name}' has no values",
                found=", ".join(map(str, axis.values)),
                fix="give one or more different values",
            )
    listed = isinstance(seeds, Sequence) and not isinstance(seeds, str)
    several: Sequence[Any] = seeds if listed else (1,) if seeds is None else (seeds,)  # type: ignore[assignment]
    whole = several and all(isinstance(seed, int) and not isinstance(seed, bool) for seed in several)
    if not whole or min(several) < (1 if isinstance(seeds, int) else 0) or len(set(several)) < len(several):
        raise UsageError(
            "seeds must be a number of runs (1 or more) or different integers (0 or more)",
            found=str(seeds)[:80],
            fix="give a number, such as 5, or a list, such as [0, 1, 2]",
        )
    if seeds is not None and any(axis.name == SEED for axis in axes):
        raise UsageError(f"seeds are given twice: by --seeds and by the sweep of {SEED}", fix="keep one of the two")


def _cell_request(shared: RunRequest, typed: Mapping[str, Any]) -> RunRequest:
    """The request of a cell: the shared request with the cell's values."""
    slots = {name: str(value) for name, value in typed.items() if name in KINDS}
    overrides = tuple(Override(name, value, "sweep") for name, value in typed.items() if name not in WHOLE)
    return replace(
        shared,
        recipe=typed.get("recipe", shared.recipe),
        supervision=typed.get("supervision", shared.supervision),
        choices={**shared.choices, **slots},
        overrides=(*shared.overrides, *overrides),
    )


def _cell(typed: Mapping[str, Any], composition: Composition) -> dict[str, Any]:
    """The axes' values in the composition."""
    cell: dict[str, Any] = {}
    for name, value in typed.items():
        slot, _, option = name.partition(".")
        cell[name] = value if name in WHOLE else composition.recipe.slot(slot).to_dict()[option]
    return cell


def _seeds(seeds: int | Sequence[int] | None, composition: Composition) -> list[int]:
    own = composition.recipe.train.seed
    return list(range(own, own + (seeds or 1))) if isinstance(seeds, int | None) else list(seeds)


def _seeded(composition: Composition, seed: int, seeds: int | Sequence[int] | None) -> Composition:
    if seeds is None:
        return composition
    train = replace(composition.recipe.train, seed=seed)
    sources = dict(composition.sources) | {SEED: "--seeds"}
    return replace(composition, recipe=replace(composition.recipe, train=train), sources=sources)


def _trial(cell: Mapping[str, Any], composition: Composition) -> Trial:
    seed = composition.recipe.train.seed
    return Trial(name=_text(dict(cell) | {"seed": seed}), cell=cell, seed=seed, composition=composition.to_dict())


def _require_different(trials: Sequence[Trial]) -> None:
    seen: dict[str, Trial] = {}
    for trial in trials:
        other = seen.setdefault(trial.identity, trial)
        if other is not trial:
            raise UsageError(
                "two combinations of the sweep are the same run", found=f"{other.name} and {trial.name}",
                fix="remove one of the two values",
            )  # fmt: skip


def _named(trials: Sequence[Trial]) -> Iterator[Trial]:
    """Give trials unique names that are valid folder names."""
    taken: Counter[str] = Counter()
    for trial in trials:
        name = re.sub(r"[^\w.=+-]+", "_", trial.name)[:LONGEST_NAME]
        taken[name] += 1
        yield replace(trial, name=name if taken[name] == 1 else f"{name}-{taken[name]}")


def _refusal(faults: Sequence[tuple[str, AvelzooError]], of: int) -> AvelzooError:
    first = faults[0][1]
    if len(faults) == of and len({str(error) for _, error in faults}) == 1:  # the error is not about the sweep
        return first
    refusals = [f"{cell}: {error.problem}" for cell, error in faults]
    return UsageError(
        f"{len(faults)} of the sweep's {of} combinations cannot be run",
        found=some(refusals, 6, separator="; "),
        expected=first.expected,
        fix=first.fix or "remove these values, or sweep the rest separately",
    )


def _text(cell: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={as_text(value)}" for name, value in cell.items())
