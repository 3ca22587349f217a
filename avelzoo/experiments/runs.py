"""Finished runs of an experiment as small records and arrays, from which every number of its table is computed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from avelzoo.comparing.systems import Labelled
from avelzoo.errors import RunError
from avelzoo.metrics import Truth
from avelzoo.metrics.arrays import IntArray
from avelzoo.metrics.signature import data_hash
from avelzoo.plugin.listeners import flat

KEPT = (
    "segment_accuracy",
    "category_accuracy",
    "foreground_background.balanced_accuracy",
    "partial_event.segment_accuracy",
    "localization.segment_iou",
    "event_f1_iou50",
)
"""Test scores of every run that result files keep."""


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """A finished run.

    Attributes:
        name: name of its folder.
        seed: its seed.
        test: dotted name -> score on test.
        val: segment accuracy on val.
        references: reference predictors of the data set on test.
        best_epoch: the epoch chosen on val.
        optimism_gap: best test accuracy of any epoch minus the reported one; None if not measured.
        parameters: number of learnable parameters.
        seconds, seconds_per_epoch: time.
        peak_memory_mb: peak memory of the process or device; None if unknown.
        device: device.
        weak_protocol: weak labels; None under full supervision.
        leaks_duration: the weak labels contain the event's share of the video.
        versions: versions of the packages.
        predictions_sha256: checksum of its ``predictions.h5``.
        adopted: name of the folder that it was adopted from; None if the experiment trained it.
    """

    name: str
    seed: int
    test: Mapping[str, float | None]
    val: float
    references: Mapping[str, float]
    best_epoch: int
    optimism_gap: float | None
    parameters: int
    seconds: float
    seconds_per_epoch: float
    peak_memory_mb: float | None
    device: str
    weak_protocol: str | None
    leaks_duration: bool
    versions: Mapping[str, str]
    predictions_sha256: str
    adopted: str | None

    @classmethod
    def of(cls, name: str, result: Mapping[str, Any], predictions: Path, adopted: str | None) -> RunRecord:
        """The record of a run from the content of its ``result.json``."""
        same = (
            *("seed", "best_epoch", "optimism_gap", "parameters", "seconds", "seconds_per_epoch", "peak_memory_mb"),
            *("device", "weak_protocol", "leaks_duration", "versions"),
        )
        test = flat(result["scores"]["test"])
        return cls(
            name=name,
            test={key: test.get(key) for key in KEPT},
            val=result["scores"]["val"]["segment_accuracy"],
            references=dict(result["scores"]["test"].get("references", {})),
            predictions_sha256=hashlib.sha256(predictions.read_bytes()).hexdigest(),
            adopted=adopted,
            **{key: result[key] for key in same},
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class CellRuns:
    """The finished runs of a cell.

    Attributes:
        name: name of the cell.
        runs: the runs, by seed.
        data: hash of the test labels.
        segments: (s v t) predicted ids on test.
        category: (s v) predicted video categories.
    """

    name: str
    runs: tuple[RunRecord, ...]
    data: str
    segments: IntArray
    category: IntArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Measured:
    """Everything that was measured.

    Attributes:
        cells: cells with at least one finished run, by name.
        labelled: videos and truth of each test split, by hash.
    """

    cells: Mapping[str, CellRuns]
    labelled: Mapping[str, Labelled]


def read_runs(cells: Mapping[str, Sequence[Path]], results: Mapping[str, Mapping[str, Any]]) -> Measured:
    """Read the predictions of finished runs.

    Args:
        cells: name of a cell -> its run folders, by seed.
        results: name of a run -> content of its ``result.json``.

    Raises:
        RunError: runs of a cell were tested on different labels.
    """
    from avelzoo.engine import load_predictions
    from avelzoo.experiments.adopting import adopted_from

    found: dict[str, CellRuns] = {}
    labelled: dict[str, Labelled] = {}
    for cell, folders in cells.items():
        records, segments, category, hashes = [], [], [], []
        for folder in folders:
            path = folder / "predictions.h5"
            ids, predicted, truth = load_predictions(path, "test")
            hashes.append(data_hash(ids, truth))
            labelled.setdefault(hashes[-1], Labelled(where=str(folder), video_ids=ids, truth=truth))
            records.append(RunRecord.of(folder.name, results[folder.name], path, adopted_from(folder)))
            segments.append(predicted.segments)
            category.append(predicted.category)
        if len(set(hashes)) > 1:
            raise RunError("runs of a cell were tested on different labels", where=cell, found=", ".join(hashes))
        if records:
            found[cell] = CellRuns(
                name=cell,
                runs=tuple(records),
                data=hashes[0],
                segments=np.stack(segments),
                category=np.stack(category),
            )
    return Measured(cells=found, labelled=labelled)


def save_arrays(path: Path, measured: Measured) -> None:
    """Write labels and predictions as a compressed npz file."""
    from io import BytesIO

    from avelzoo.system.files import write_bytes

    arrays: dict[str, np.ndarray] = {}
    for key, one in measured.labelled.items():
        truth = one.truth
        arrays |= {
            f"labels/{key}/video_ids": np.array(list(one.video_ids), dtype=np.str_),
            f"labels/{key}/categories": np.array(truth.categories, dtype=np.str_),
            f"labels/{key}/segments": _small(truth.segments),
            f"labels/{key}/events": _small(truth.events),
            f"labels/{key}/lengths": _small(truth.lengths),
            f"labels/{key}/seconds_per_segment": np.array(truth.seconds_per_segment),
        }
    for cell in measured.cells.values():
        arrays[f"cells/{cell.name}/segments"] = _small(cell.segments)
        arrays[f"cells/{cell.name}/category"] = _small(cell.category)
    content = BytesIO()
    np.savez_compressed(content, allow_pickle=False, **arrays)
    write_bytes(path, content.getvalue())


def load_arrays(path: Path, cells: Mapping[str, Mapping[str, Any]]) -> Measured:
    """Inverse of ``save_arrays``, with the cells' records from a result file.

    Raises:
        RunError: the file is missing or damaged, or lacks a cell.
    """
    found: dict[str, CellRuns] = {}
    labelled: dict[str, Labelled] = {}
    try:
        with np.load(path, allow_pickle=False) as file:
            for key in {cell["data"] for cell in cells.values()}:
                own = {name: file[f"labels/{key}/{name}"] for name in ("segments", "events", "lengths")}
                truth = Truth(
                    **{name: array.astype(np.int64) for name, array in own.items()},
                    categories=tuple(map(str, file[f"labels/{key}/categories"])),
                    seconds_per_segment=float(file[f"labels/{key}/seconds_per_segment"]),
                )
                ids = [str(one) for one in file[f"labels/{key}/video_ids"]]
                if data_hash(ids, truth) != key:
                    raise RunError("labels do not have their hash", where=str(path), found=data_hash(ids, truth))
                labelled[key] = Labelled(where=str(path), video_ids=ids, truth=truth)
            for name, cell in cells.items():
                found[name] = CellRuns(
                    name=name,
                    runs=tuple(_record(run, path) for run in cell["runs"]),
                    data=cell["data"],
                    segments=file[f"cells/{name}/segments"].astype(np.int64),
                    category=file[f"cells/{name}/category"].astype(np.int64),
                )
    except (OSError, ValueError, KeyError) as error:
        raise RunError("predictions of the experiment cannot be read", where=str(path), found=str(error)) from error
    return Measured(cells=found, labelled=labelled)


def _record(data: Mapping[str, Any], path: Path) -> RunRecord:
    missing = [f.name for f in fields(RunRecord) if f.name not in data]
    if missing:
        raise RunError("the record of a run is incomplete", where=str(path), found="no " + ", ".join(missing))
    return RunRecord(**{f.name: data[f.name] for f in fields(RunRecord)})


def records(cell: CellRuns) -> list[dict[str, Any]]:
    """The runs of a cell as plain data."""
    return [asdict(run) for run in cell.runs]


def _small(array: np.ndarray) -> np.ndarray:
    """The array in the smallest unsigned type that holds it."""
    highest = int(array.max(initial=0))
    return array.astype(np.uint8 if highest < 2**8 else np.uint16 if highest < 2**16 else np.int64)
