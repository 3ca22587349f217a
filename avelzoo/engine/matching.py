"""Whether data fit a run: sizes, categories, and the recipes of the features."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from avelzoo.contracts import Dataset
from avelzoo.errors import RunError
from avelzoo.records import FeatureSpec


def require_same(spec: FeatureSpec, dataset: Dataset, path: Path) -> None:
    """Refuse data that do not fit a model; the number of segments may differ.

    Raises:
        RunError: channels, grid or categories differ.
    """
    names = {"audio_dim": "audio channels", "grid": "grid", "visual_dim": "visual channels", "categories": "categories"}
    faults = [
        (label, getattr(dataset.spec, name), getattr(spec, name))
        for name, label in names.items()
        if getattr(dataset.spec, name) != getattr(spec, name)
    ]
    own, there = spec.categories, dataset.spec.categories
    if own != there and sorted(own) == sorted(there):
        first = next(i for i, name in enumerate(own) if there[i] != name)
        raise RunError(
            "the order of the categories differs between the data and the run",
            where=str(path),
            found=f"'{there[first]}' as category {first}",
            expected=f"'{own[first]}' as category {first}: {' | '.join(own)}",
            fix="write these names, one per line, to the data folder's categories.txt, or select labels as in training",
        )
    if faults:
        raise RunError(
            "the data do not fit the run: different " + " and ".join(label for label, _, _ in faults),
            where=str(path),
            found="; ".join(f"{label} {_short(there)}" for label, there, _ in faults),
            expected="; ".join(f"{label} {_short(own)}" for label, _, own in faults),
            fix="evaluate on features extracted as in training",
        )


def differing_recipes(one: Mapping[str, Any] | None, other: Mapping[str, Any] | None) -> Iterator[tuple[str, str, str]]:
    """Yield (modality, id, other id) where two extractions differ; nothing if one of them is unknown."""
    if one is None or other is None:
        return
    if one["seconds"] != other["seconds"]:
        yield "segments", f"{one['seconds']:g} s", f"{other['seconds']:g} s"
    for modality in ("visual", "audio"):
        ids = one[modality]["recipe_id"], other[modality]["recipe_id"]
        if ids[0] != ids[1]:
            yield (modality, *ids)


def require_same_recipes(
    data: Mapping[str, Any] | None, run: Mapping[str, Any] | None, *, where: str, fix: str
) -> None:
    """Refuse features of another recipe than those a run was trained on.

    Args:
        data: extraction of the data; None if unknown, which is accepted.
        run: extraction of the run's training data; None if unknown, which is accepted.
        where: the data.
        fix: remedy.

    Raises:
        RunError: the recipes differ; the error names both ids.
    """
    faults = list(differing_recipes(data, run))
    if faults:
        raise RunError(
            "the features were made by another recipe than those the run was trained on",
            where=where,
            found="; ".join(f"{modality} {found}" for modality, found, _ in faults),
            expected="; ".join(f"{modality} {expected}" for modality, _, expected in faults),
            fix=fix,
        )


def changed_data(trained: Mapping[str, str], now: Mapping[str, str]) -> list[str] | None:
    """Names of data files whose fingerprints differ; None if the two records share no file.

    Evaluation may read fewer files than training, for example no negatives.
    """
    common = [name for name in now if name in trained]
    return [name for name in common if now[name] != trained[name]] if common else None


def _short(value: Any) -> str:
    if isinstance(value, tuple) and len(value) > 4:
        return f"{len(value)} ({', '.join(map(str, value[:3]))}, ...)"
    return str(value)
