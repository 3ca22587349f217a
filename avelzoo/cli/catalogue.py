"""The registry as plain data, for `list`, `show` and the generated pages."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Literal, cast, get_args

from avelzoo.components import BASES, KINDS, ComponentConfig, ObjectiveConfig, Supervision
from avelzoo.composition.experiment import Experiment
from avelzoo.composition.recipe import Published, Recipe
from avelzoo.config import Config, options
from avelzoo.errors import (
    AmbiguousNameError,
    AvelzooError,
    PluginError,
    SupervisionError,
    UnknownNameError,
    describe,
    did_you_mean,
)
from avelzoo.plugin.registry import Entry, Registry

PLURALS: dict[str, str] = {
    "recipe": "recipes",
    "dataset": "datasets",
    "sampler": "samplers",
    "transform": "transforms",
    "encoder": "encoders",
    "memory": "memories",
    "head": "heads",
    "objective": "objectives",
    "optimizer": "optimizers",
    "schedule": "schedules",
    "decoder": "decoders",
    "launcher": "launchers",
    "extractor": "extractors",
    "format": "formats",
    "published-code": "published-code",
    "experiment": "experiments",
}
"""Kinds, in the order of listings."""


def kind_of(word: str) -> str:
    """Find the kind that ``word`` names, in singular or plural.

    Raises:
        UnknownNameError: no kind has this name.
    """
    for singular, plural in PLURALS.items():
        if word.lower() in (singular, plural):
            return singular
    raise UnknownNameError(
        f"unknown kind '{word}'" + did_you_mean(word, [*PLURALS, *PLURALS.values()]),
        expected=", ".join(PLURALS.values()),
    )


def find(registry: Registry, name: str) -> Entry:
    """Find the entry with this name, of any kind.

    Raises:
        UnknownNameError: no entry has this name.
        AmbiguousNameError: several kinds or plugins have an entry of this name.
    """
    found = [e for e in registry.entries() if name in (e.name, e.qualified)]
    if not found:
        known = [e.name for e in registry.entries()]
        raise UnknownNameError(
            f"no component or recipe is named '{name}'" + did_you_mean(name, known), fix="see `avelzoo list`"
        )
    if len(found) > 1:
        kinds = [e.kind for e in found]
        calls = [f"`avelzoo show {e.kind} {e.name if kinds.count(e.kind) == 1 else e.qualified}`" for e in found]
        raise AmbiguousNameError(
            f"'{name}' names {len(found)} entries",
            found=", ".join(f"{e.kind} {e.qualified}" for e in found),
            fix=f"add the kind: {' or '.join(calls)}",
        )
    return found[0]


def recipes_of(entry: Entry) -> dict[Supervision, Recipe]:
    """Build a recipe under every supervision that it supports.

    Raises:
        PluginError: the recipe raises an error other than `SupervisionError`.
    """
    made: dict[Supervision, Recipe] = {}
    for supervision in cast("tuple[Supervision, ...]", get_args(Supervision)):
        try:
            recipe: Recipe = entry.target(supervision)
            parts = recipe.components().values()
        except SupervisionError:
            continue
        except BaseException as error:  # by sys.exit, too
            if type(error) is KeyboardInterrupt:
                raise
            said = describe(error)
            raise PluginError(
                f"the recipe '{entry.qualified}' cannot be built for {supervision} supervision",
                found=f"{type(error).__name__}: {said}" if isinstance(error, AvelzooError) else said,
                expected="a Recipe, or a SupervisionError for unsupported supervision",
                fix=f"fix plugin '{entry.plugin}', or disable it: AVELZOO_DISABLE_PLUGINS={entry.plugin}",
            ) from error
        if all(supervision in part.supervisions for part in parts):
            made[supervision] = recipe
    return made


def experiment_of(entry: Entry) -> Experiment:
    """The experiment of an entry.

    Raises:
        PluginError: its function raises an error or returns something else.
    """
    try:
        experiment = entry.target()
    except Exception as error:
        said = describe(error)
        raise PluginError(f"the experiment '{entry.qualified}' cannot be built", found=said) from error
    if not isinstance(experiment, Experiment):
        raise PluginError(
            f"the function of '{entry.qualified}' returns no Experiment",
            found=repr(experiment)[:80],
            fix=f"fix plugin '{entry.plugin}', or disable it: AVELZOO_DISABLE_PLUGINS={entry.plugin}",
        )
    return experiment


def row(entry: Entry) -> dict[str, Any]:
    """One entry of the catalogue."""
    data: dict[str, Any] = {
        "kind": entry.kind,
        "name": entry.name,
        "qualified": entry.qualified,
        "summary": entry.summary.replace("``", "`"),
        "paper": getattr(entry.target, "paper", ""),
        "plugin": entry.plugin,
        "distribution": entry.distribution,
        "version": entry.version,
    }
    if entry.kind == "recipe":
        try:
            made = recipes_of(entry)
        except PluginError as error:
            return data | {"summary": f"broken: {error.problem} ({error.found})", "supervisions": [], "published": []}
        first = next(iter(made.values()), None)
        if first is not None:
            data |= {"summary": first.summary, "paper": first.paper}
        data |= {"supervisions": list(made), "published": published(made)}
        data |= {name: sentences(made, name) for name in ("assumptions", "limits")}
    elif entry.kind == "experiment":
        experiment = experiment_of(entry)
        data |= {"summary": experiment.title, "paper": experiment.paper, "source": experiment.source}
        data |= {"supervisions": list(experiment.supervisions), "rows": [row.name for row in experiment.rows]}
    elif entry.kind in KINDS:
        data["supervisions"] = list(entry.target.supervisions)
    elif entry.kind == "published-code":
        data["settings"] = list(entry.target.settings)
        data["checkpoints"] = [asdict(checkpoint) for checkpoint in entry.target.checkpoints]
    return data


def checkpoint_text(checkpoint: Mapping[str, Any]) -> str:
    """A published checkpoint in one line."""
    accuracy = f" ({checkpoint['accuracy']} %)" if checkpoint["accuracy"] else ""
    return f"{' and '.join(checkpoint['settings'])}{accuracy}: {checkpoint['where']}"


def sentences(made: dict[Supervision, Recipe], name: str) -> list[str]:
    """Sentences of a recipe's ``assumptions`` or ``limits``, without repetition."""
    return list(dict.fromkeys(sentence for recipe in made.values() for sentence in getattr(recipe, name)))


def published(made: dict[Supervision, Recipe]) -> list[dict[str, Any]]:
    """Published scores of a recipe, without repetition."""
    scores: dict[Published, None] = {score: None for recipe in made.values() for score in recipe.published}
    return [
        {
            "supervision": s.supervision,
            "features": s.features,
            "segment_accuracy": s.segment_accuracy,
            "source": s.source,
        }
        for s in scores
    ]


def declared(config: ComponentConfig, which: Literal["gives", "reads"]) -> list[str]:
    """Channels that a component gives or reads; "(weak)" marks those of weak supervision only."""
    under = {s: {str(channel) for channel in getattr(config, which)(s)} for s in config.supervisions}
    always = set.intersection(*under.values())
    return sorted(always | {f"{name} ({s})" for s, names in under.items() for name in names - always})


def details(entry: Entry) -> dict[str, Any]:
    """All details of a component: its row, options, capabilities and documentation."""
    data = row(entry) | {"documentation": (inspect.getdoc(entry.target) or "").partition("\n\n>>>")[0]}
    if entry.kind not in BASES:
        return data
    config: Config = entry.target()
    defaults = config.to_dict()
    if isinstance(config, ComponentConfig):
        data |= {
            "reads": declared(config, "reads"),
            "gives": declared(config, "gives"),
            "assumptions": list(config.assumptions),
        }
    if isinstance(config, ObjectiveConfig):
        terms = {term.name: term for s in reversed(config.supervisions) for term in config.terms(s)}
        data |= {"terms": {name: " and ".join(map(str, term.needs)) for name, term in terms.items()}}
    return data | {
        "options": [
            {"name": o.name, "type": o.type_name, "default": defaults[o.name], "help": o.help}
            for o in options(type(config))
        ],
    }
