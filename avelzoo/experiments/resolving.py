"""From an experiment and a request to checked compositions of all cells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace

from avelzoo.components import Supervision
from avelzoo.composition.checking import check
from avelzoo.composition.experiment import Experiment, ExperimentEdition, ExperimentRow, FeatureSetting
from avelzoo.composition.overrides import Override
from avelzoo.composition.recipe import Published, Recipe
from avelzoo.composition.request import RunRequest
from avelzoo.composition.resolving import Composition
from avelzoo.errors import AvelzooError, SupervisionError, UnknownNameError, UsageError, did_you_mean, some
from avelzoo.experiments.request import BenchRequest, Cell, ResolvedExperiment
from avelzoo.plugin.registry import Registry
from avelzoo.sweeps.plan import SEED, as_text

OWN = FeatureSetting(name="")
"""The data set's own features, where an edition compares none."""


def experiment_of(registry: Registry, name: str) -> Experiment:
    """The experiment of this name.

    Raises:
        UnknownNameError: no experiment has this name.
    """
    found: Experiment = registry.get("experiment", name).target()
    return found


def resolve_experiment(registry: Registry, experiment: Experiment, request: BenchRequest) -> ResolvedExperiment:
    """Compose and check every cell of a request.

    Raises:
        UsageError: a row, a setting or a value does not exist, or cells cannot be run; the error names all of them.
    """
    edition = experiment.edition(folder=request.data is not None)
    rows = [experiment.row(name) for name in request.rows] or list(experiment.rows)
    supervisions = _supervisions(experiment, request.supervisions)
    features = _features(edition, request)
    _require_recipes(registry, experiment, rows)
    seeds = edition.seeds if request.seeds is None else request.seeds
    if seeds < 1:
        raise UsageError("an experiment needs a seed", found=f"--seeds {seeds}", expected="1 or more")
    cells: list[Cell] = []
    faults: list[tuple[str, AvelzooError]] = []
    for row in rows:
        for supervision in supervisions:
            for setting in features:
                try:
                    composition = _compose(registry, edition, (row, supervision, setting), request)
                    check(composition.recipe, registry, composition.sources)
                except AvelzooError as error:
                    faults.append((f"{row.name}, {supervision}", error))
                else:
                    cell = Cell(row=row, supervision=supervision, features=setting, composition=composition)
                    cells.append(cell)
    if faults:
        first = faults[0][1]
        raise UsageError(
            f"{len(faults)} of the {len(faults) + len(cells)} cells of '{experiment.name}' cannot be run",
            found=some([f"{cell}: {error.problem}" for cell, error in faults], 4, separator="; "),
            expected=first.expected,
            fix=first.fix,
        )
    _require_different(cells)
    return ResolvedExperiment(
        experiment=experiment,
        edition=edition,
        cells=tuple(cells),
        seeds=tuple(range(seeds)),
        summary=_summary(registry, edition, cells, request),
    )


def _compose(
    registry: Registry,
    edition: ExperimentEdition,
    position: tuple[ExperimentRow, Supervision, FeatureSetting],
    request: BenchRequest,
) -> Composition:
    row, supervision, setting = position
    plain = RunRequest(row.recipe, supervision, row.choices, data=request.data)
    encoder = plain.resolve(registry).entries["encoder"].name if edition.of_encoder else ""
    values = {
        **{path: (value, f"edition {edition.name}") for path, value in edition.options.items()},
        **{path: (value, f"edition {edition.name}") for path, value in edition.of_encoder.get(encoder, {}).items()},
        **{path: (value, f"features {setting.name}") for path, value in setting.options.items()},
        **{path: (value, f"row {row.name}") for path, value in row.options.items()},
    }
    for override in request.overrides:
        if override.path in row.options or override.path in setting.options or override.path == SEED:
            raise UsageError(
                f"'{override.path}' is an axis of the experiment",
                where=f"row {row.name}",
                found=override.source,
                fix="use --seeds, --rows or --features, or `avelzoo run` for a single run",
            )
        values[override.path] = (override.value, override.source)
    overrides = tuple(Override(path, value, source) for path, (value, source) in values.items())
    return replace(plain, overrides=overrides).resolve(registry)


def _summary(registry: Registry, edition: ExperimentEdition, cells: Sequence[Cell], request: BenchRequest) -> str:
    """The edition in words, with every value that it or the request changes, and the recipes' own value."""
    changes = []
    for path in dict.fromkeys((*edition.options, *(override.path for override in request.overrides))):
        slot, _, option = path.partition(".")
        recipes = [cell.composition.recipe for cell in cells]
        plain = [registry.get("recipe", cell.row.recipe).target(cell.supervision) for cell in cells]
        now, before = (_texts(found, slot, option) for found in (recipes, plain))
        if now != before:
            changes.append(f"{path}={' or '.join(now)}" + (f" instead of {' or '.join(before)}" if before else ""))
    return ", ".join(filter(None, (edition.summary, some(changes, 8))))


def _texts(recipes: Iterable[Recipe], slot: str, option: str) -> list[str]:
    """Different values of an option, as text; none where a recipe's component lacks the option."""
    parts = (getattr(recipe, slot) for recipe in recipes)
    return sorted({as_text(getattr(part, option)) for part in parts if hasattr(part, option)})


def _supervisions(experiment: Experiment, wanted: Sequence[str]) -> list[Supervision]:
    unknown = [name for name in wanted if name not in experiment.supervisions]
    if unknown:
        raise UnknownNameError(
            f"the experiment '{experiment.name}' has no supervision '{unknown[0]}'"
            + did_you_mean(unknown[0], experiment.supervisions),
            expected=" or ".join(experiment.supervisions),
        )
    return [name for name in experiment.supervisions if not wanted or name in wanted]


def _features(edition: ExperimentEdition, request: BenchRequest) -> list[FeatureSetting]:
    names = [setting.name for setting in edition.features]
    unknown = [name for name in request.features if name not in names]
    if unknown:
        raise UnknownNameError(
            f"the edition '{edition.name}' has no features '{unknown[0]}'" + did_you_mean(unknown[0], names),
            expected=" or ".join(names) or "no --features; the data have one kind of features",
        )
    if not edition.features:
        return [OWN]
    if request.features:
        return [setting for setting in edition.features if setting.name in request.features]
    there = [s for s in edition.features if request.data is None or not s.file or (request.data / s.file).exists()]
    return there or [edition.features[0]]  # the data set reports its missing file


def _require_recipes(registry: Registry, experiment: Experiment, rows: Sequence[ExperimentRow]) -> None:
    known = {name for entry in registry.entries("recipe") for name in (entry.name, entry.qualified)}
    missing = [row for row in rows if row.recipe not in known]
    if missing:
        left = [row.name for row in rows if row.recipe in known]
        packages = sorted({row.distribution for row in missing if row.distribution})
        install = f"pip install {' '.join(packages)}, or " if packages else ""
        raise UsageError(
            f"recipes of '{experiment.name}' are not registered",
            found="missing: " + some([row.recipe for row in missing], 12),
            fix=f"{install}run the other rows: --rows {','.join(left)}" if left else f"{install}see `avelzoo plugins`",
        )


def _require_different(cells: Sequence[Cell]) -> None:
    seen: dict[str, Cell] = {}
    for cell in cells:
        other = seen.setdefault(cell.trial(0).identity, cell)
        if other is not cell:
            raise UsageError(
                "two cells of the experiment are the same run", found=f"{other.name} and {cell.name}",
                fix="remove one of the two rows",
            )  # fmt: skip


def published_scores(registry: Registry, experiment: Experiment) -> dict[str, tuple[Published, ...]]:
    """Published scores of every row: its own, else those of its recipe, unless the row changes the recipe."""
    found = {}
    for row in experiment.rows:
        scores = row.published
        if not scores and not row.choices and not row.options and row.recipe in registry.names("recipe"):
            for supervision in experiment.supervisions:
                with suppress(SupervisionError):
                    scores = (*scores, *registry.get("recipe", row.recipe).target(supervision).published)
        found[row.name] = tuple(dict.fromkeys(scores))
    return found
