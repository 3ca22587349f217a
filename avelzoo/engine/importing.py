"""Run folders of imported weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from avelzoo.composition.model import Model
from avelzoo.composition.resolving import Composition
from avelzoo.engine.checkpoint import save_weights
from avelzoo.engine.record import versions
from avelzoo.engine.rundir import RunDir
from avelzoo.records import FeatureSpec


def save_import(
    path: Path, composition: Composition, spec: FeatureSpec, model: Model, origin: Mapping[str, Any]
) -> None:
    """Create a run folder for imported weights, without metrics or result."""
    folder = RunDir(path)
    folder.require_free()
    record = composition.to_dict() | {"spec": spec.to_dict(), "imported": dict(origin)}
    with folder.claimed():
        folder.begin(record | {"versions": versions(composition.entries)})
        save_weights(folder.best, model, epoch=None)
