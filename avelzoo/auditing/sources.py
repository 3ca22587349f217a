"""Labels to audit against: a data set's, or those that a run folder holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from avelzoo.auditing.reading.array_files import PREDICTIONS
from avelzoo.composition.resolving import folder_dataset
from avelzoo.errors import DataError, OptionError, UsageError
from avelzoo.metrics import ReadsLabels, SplitLabels, Truth
from avelzoo.metrics.signature import TRUTH
from avelzoo.plugin.registry import Registry

VARIANTS = ("annotations", "labels", "right_labels")


@dataclass(frozen=True, kw_only=True, eq=False)
class LabelSource:
    """Labels of every split, and where they are from.

    Attributes:
        name: name of the data set, for the signature.
        place: folder, for people.
        variant: label variant; ``truth`` if the data set has none, ``?`` if it is unknown.
        splits: labels by split.
        train_ids: names of the training videos.
    """

    name: str
    place: str
    variant: str
    splits: Mapping[str, SplitLabels]
    train_ids: frozenset[str]


def read_source(
    registry: Registry, folder: Path | None, *, dataset: str | None = None, labels: str = "annotations"
) -> LabelSource:
    """Labels of a data set; it is opened, with torch, only if it cannot read its labels alone.

    Args:
        registry: registered data sets.
        folder: data folder; None for a data set without one.
        dataset: name of the data set; None for AVE's public layout.
        labels: label variant.

    Raises:
        UsageError: no folder and no data set; an unknown name.
        OptionError: the data set has no such variant.
        DataError: a file is missing, damaged or has unexpected content.
    """
    if folder is None and dataset is None:
        raise UsageError(
            "an audit needs labels",
            expected="--data DIR with Annotations.txt and the order files, or a run folder",
            fix="name the folder with --data, or a data set with --dataset",
        )
    entry = folder_dataset(registry) if dataset is None else registry.get("dataset", dataset)
    options: dict[str, Any] = {}
    known = {field.name for field in fields(entry.target)}
    if folder is not None:
        if not entry.target.reads_folder:
            raise OptionError(
                f"the data set '{entry.name}' reads no folder", where="--data", found=str(folder), fix="remove --data"
            )
        options["root"] = folder
    if "labels" in known:
        options["labels"] = labels
    elif labels != "annotations":
        raise OptionError(f"the data set '{entry.name}' has no label variants", where="--labels", found=labels)
    config = entry.target(**options)
    splits = config.read_labels() if isinstance(config, ReadsLabels) else _opened(config)
    return LabelSource(
        name=entry.name,
        place=str(folder) if folder is not None else entry.qualified,
        variant=labels if "labels" in known else TRUTH,
        splits=splits,
        train_ids=frozenset(splits["train"].video_ids if "train" in splits else ()),
    )


def run_source(path: Path, split: str) -> LabelSource:
    """Labels of a split that a run folder's predictions hold, and the names of its training videos.

    Raises:
        RunError: the file is missing or damaged, or lacks the split.
    """
    from avelzoo.metrics.stored import load_predictions, trained_videos

    file = path / PREDICTIONS if path.is_dir() else path
    names, _, truth = load_predictions(file, split)
    return LabelSource(
        name="?",
        place=str(file),
        variant="?",
        splits={split: SplitLabels(video_ids=tuple(names), truth=truth)},
        train_ids=trained_videos(file),
    )


def need_split(source: LabelSource, split: str) -> SplitLabels:
    """Labels of a split.

    Raises:
        UsageError: there is no such split.
    """
    if split not in source.splits:
        raise UsageError(f"there is no split '{split}'", where="--split", expected=", ".join(source.splits))
    return source.splits[split]


def subset(labels: SplitLabels, chosen: np.ndarray) -> SplitLabels:
    """Labels of some videos, (v) bool."""
    truth = labels.truth
    return SplitLabels(
        video_ids=tuple(np.array(labels.video_ids, dtype=object)[chosen].tolist()),
        rows=labels.rows[chosen] if len(labels.rows) else labels.rows,
        seen=labels.seen,
        truth=replace(
            truth, segments=truth.segments[chosen], events=truth.events[chosen], lengths=truth.lengths[chosen]
        ),
    )


def _opened(config: Any) -> dict[str, SplitLabels]:
    """Labels of a data set that must be opened for them."""
    dataset = config.open("full")
    spec, found = dataset.spec, {}
    for name in ("train", "val", "test"):
        try:
            split = dataset.split(name)
        except (UsageError, DataError):
            continue
        found[name] = SplitLabels(
            video_ids=tuple(split.video_ids),
            truth=Truth(
                segments=split.labels(),
                events=split.events(),
                lengths=split.lengths(),
                categories=spec.categories,
                seconds_per_segment=spec.seconds_per_segment,
            ),
        )
    return found
