"""Compact copies of runs: everything that a report needs, without weights, small enough to publish."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path, PurePath
from typing import Any

import h5py
import numpy as np

from avelzoo.errors import UsageError
from avelzoo.metrics import PredictionArrays
from avelzoo.reporting.model_facts import FILE
from avelzoo.reporting.runs import SPLIT, ReportRun
from avelzoo.system.files import whole_folder, write_bytes, write_json, write_lines

DECIMALS = 3
"""Of scores, and one fewer of those by modality; they compress, and no decision is made from them again."""


def pack(run: ReportRun, facts: Mapping[str, Any], parent: Path) -> Path:
    """Write a compact copy of a run, with the name of its folder, and return it.

    Predictions on test are kept, with scores in three decimals; weights, val and the ids of training videos are not.
    Paths of this machine are reduced to their last part.

    Args:
        run: the run.
        facts: facts of its model.
        parent: folder of the copy; created if it does not exist.

    Raises:
        UsageError: the folder exists.
        OSError: no space, no permission.
    """
    target = parent / run.stored.path.resolve().name
    if target.exists():
        raise UsageError("a compact copy already exists", where=str(target), fix="choose another folder with --pack")
    composition, result = dict(run.stored.composition), dict(run.stored.result)
    composition["command"] = [_bare(word) for word in composition.get("command") or []]
    composition["slots"] = {name: _slot(row) for name, row in composition["slots"].items()}
    with whole_folder(target) as draft:
        write_json(draft / "composition.json", composition)
        write_json(draft / "result.json", result | {"run_dir": target.name})
        write_lines(draft / "metrics.jsonl", run.epochs)
        write_bytes(draft / "predictions.h5", _predictions(run, keep_modalities=not facts.get("xray")))
        write_lines(draft / FILE, [facts])
    return target


def _slot(row: Mapping[str, Any]) -> dict[str, Any]:
    options = {name: _bare(value) for name, value in row.get("options", {}).items()}
    return {**row, "options": options} if "options" in row else dict(row)


def _bare(value: Any) -> Any:
    """Text that is an absolute path as its last part; everything else as it is."""
    return PurePath(value).name if isinstance(value, str) and PurePath(value).is_absolute() else value


def _predictions(run: ReportRun, *, keep_modalities: bool) -> bytes:
    """An HDF5 file that `load_predictions` reads."""
    truth, found = run.labelled.truth, run.found
    arrays: dict[str, np.ndarray] = {
        "segments": _narrow(found.segments),
        "category": _narrow(found.category),
        "category_scores": _short(found.category_scores),
        "relevance": _short(found.relevance),
        "true_segments": _narrow(truth.segments),
        "true_events": _narrow(truth.events),
        "lengths": _narrow(truth.lengths),
    }
    if keep_modalities:
        arrays |= _modalities(found)
    content = BytesIO()
    with h5py.File(content, "w") as file:
        file.attrs["categories"] = list(truth.categories)
        file.attrs["seconds_per_segment"] = truth.seconds_per_segment
        group = file.create_group(SPLIT)
        ids = list(map(str, run.labelled.video_ids))
        group.create_dataset("video_ids", data=ids, dtype=h5py.string_dtype(), compression="gzip")
        for name, array in arrays.items():
            group.create_dataset(name, data=array, compression="gzip", shuffle=True)
    return content.getvalue()


def _modalities(found: PredictionArrays) -> dict[str, np.ndarray]:
    scores = {"audio_scores": found.audio_scores, "visual_scores": found.visual_scores}
    return {name: _short(array, 2) for name, array in scores.items() if array is not None}


def _narrow(values: np.ndarray) -> np.ndarray:
    return values.astype(np.uint8 if values.max(initial=0) < 256 else np.uint16)


def _short(values: np.ndarray, decimals: int = DECIMALS) -> np.ndarray:
    return np.round(values.astype(np.float64), decimals).astype(np.float32)
