"""Content of ``composition.json``, and comparison of two such records."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from avelzoo.composition.resolving import Composition
from avelzoo.composition.terms import loss_terms
from avelzoo.contracts import Dataset
from avelzoo.plugin.registry import Entry, Registry
from avelzoo.version import __version__

_UNNAMED = ("default of ", "recipe ", "dataset ", "run record")
"""Sources of values that were not given by a user, as `composition.json` names them."""


def run_record(
    composition: Composition,
    registry: Registry,
    dataset: Dataset,
    *,
    device: torch.device,
    processes: int,
    command: Sequence[str],
) -> dict[str, Any]:
    """The complete description of a run."""
    extraction = {} if dataset.extraction is None else {"extraction": dict(dataset.extraction)}
    return (
        extraction
        | composition.to_dict()
        | {
            "terms": {s.name: s.to_dict() for s in loss_terms(composition.recipe, registry)},
            "spec": dataset.spec.to_dict(),
            "data": dict(dataset.fingerprint()),
            "seed": composition.recipe.train.seed,
            "versions": versions(composition.entries),
            "device": device.type,
            "threads": torch.get_num_threads(),
            "processes": processes,
            "command": list(command),
        }
    )


def versions(entries: Mapping[str, Entry]) -> dict[str, str]:
    """Versions of the packages that a run depends on."""
    found = {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "avelzoo": __version__,
    }
    plugins = {e.distribution or e.plugin: e.version for e in entries.values() if e.plugin != "avelzoo"}
    return found | plugins


def recorded_threads(run: Path) -> int | None:
    """Number of threads of the run in a folder, on which its last digits depend; None without a run."""
    try:
        threads: int | None = json.loads((run / "composition.json").read_text(encoding="utf-8")).get("threads")
    except (OSError, ValueError, AttributeError):
        return None
    return threads


def location(record: Mapping[str, Any]) -> str | None:
    """Data folder; None for data without a folder."""
    folder: str | None = record.get("slots", {}).get("dataset", {}).get("options", {}).get("root")
    return folder


def comparable(record: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a run record that must agree on resuming: values, sizes, data.

    If the record has a fingerprint of the data, data are compared by it, and their folder may have another path.
    """
    values: dict[str, Any] = {"recipe": record.get("recipe"), "supervision": record.get("supervision")}
    for slot, row in record.get("slots", {}).items():
        values[slot] = row.get("name")
        values |= {f"{slot}.{name}": value for name, value in row.get("options", {}).items()}
    if record.get("data"):
        values.pop("dataset.root", None)
    for part in ("spec", "data"):
        values |= {f"{part}.{name}": value for name, value in record.get(part, {}).items()}
    return values


def with_newer_options(there: Mapping[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
    """A run record of an earlier version, completed by the options that did not exist then.

    Args:
        there: the run record.
        asked: a composition; only values that nobody named (`_UNNAMED`) are taken from it.
    """
    slots = {}
    for slot, row in there.get("slots", {}).items():
        other = asked.get("slots", {}).get(slot, {})
        options, sources = row.get("options", {}), other.get("sources", {})
        same = row.get("name") == other.get("name")
        newer = {
            name: value
            for name, value in other.get("options", {}).items()
            if same and name not in options and str(sources.get(name, "")).startswith(_UNNAMED)
        }
        slots[slot] = dict(row) | {"options": options | newer}
    return dict(there) | {"slots": slots}


def recorded_environment(record: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a run record that may differ on resuming but affects rounding."""
    found = dict(record.get("versions", {}))
    found |= {name: record[name] for name in ("device", "threads") if name in record}
    return found | {"processes": record.get("processes", 1)}


def differences(there: Mapping[str, Any], asked: Mapping[str, Any]) -> list[str]:
    """Differing entries with both values."""
    keys = list(dict.fromkeys([*there, *asked]))
    return [f"{k} is {there.get(k)}, not {asked.get(k)}" for k in keys if there.get(k) != asked.get(k)]
