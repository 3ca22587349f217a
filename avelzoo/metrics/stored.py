"""Predictions and truth of a run's splits in one HDF5 file, ``predictions.h5``. Needs h5py, and no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from avelzoo.errors import RunError, first_line
from avelzoo.metrics.predictions import PredictionArrays, Truth
from avelzoo.system.files import write_bytes

if TYPE_CHECKING:
    from avelzoo.contracts import Split
    from avelzoo.records import FeatureSpec

FIELDS = ("segments", "category", "category_scores", "relevance")
OPTIONAL_FIELDS = ("audio_scores", "visual_scores")


def save_predictions(
    path: Path, spec: FeatureSpec, found: Mapping[str, tuple[Split, PredictionArrays]], *, trained: Sequence[str] = ()
) -> None:
    """Write predictions, labels and video ids of several splits to one HDF5 file, atomically.

    Of the training split it holds only the ids of the videos, ``trained``.
    """
    import h5py

    content = BytesIO()
    with h5py.File(content, "w") as file:
        file.attrs["categories"] = list(spec.categories)
        file.attrs["seconds_per_segment"] = spec.seconds_per_segment
        file.create_dataset("train/video_ids", data=list(trained), dtype=h5py.string_dtype())
        for name, (split, got) in found.items():
            group = file.create_group(name)
            group.create_dataset("video_ids", data=list(split.video_ids), dtype=h5py.string_dtype())
            for field in (*FIELDS, *OPTIONAL_FIELDS):
                if (values := getattr(got, field)) is not None:
                    group.create_dataset(field, data=values)
            group.create_dataset("true_segments", data=split.labels())
            group.create_dataset("true_events", data=split.events())
            group.create_dataset("lengths", data=split.lengths())
    write_bytes(path, content.getbuffer())


def load_predictions(path: Path, split: str) -> tuple[list[str], PredictionArrays, Truth]:
    """Inverse of ``save_predictions`` for one split: video ids, predictions, truth.

    Raises:
        RunError: the file is missing or damaged, or lacks the split.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            if split not in file or "segments" not in file[split]:
                there = [name for name in file if "segments" in file[name]]
                raise RunError(
                    f"no predictions on '{split}'", where=str(path), found=", ".join(there), expected="one of these"
                )
            group = file[split]
            ids = [name.decode() for name in group["video_ids"][:]]
            lengths = group["lengths"][:] if "lengths" in group else np.empty(0, dtype=np.int64)
            there = [*FIELDS, *(field for field in OPTIONAL_FIELDS if field in group)]
            found = PredictionArrays(**{field: group[field][:] for field in there}, lengths=lengths)
            truth = Truth(
                segments=group["true_segments"][:],
                events=group["true_events"][:],
                lengths=lengths,
                categories=tuple(str(name) for name in file.attrs["categories"]),
                seconds_per_segment=float(file.attrs["seconds_per_segment"]),
            )
    except FileNotFoundError:
        raise RunError(
            "the run has no predictions", where=str(path), fix="finish the run with `avelzoo run --resume RUN_DIR`"
        ) from None
    except (OSError, KeyError) as error:
        raise RunError(
            "the predictions of the run cannot be read",
            where=str(path),
            found=first_line(error),
            fix="copy the file again, or repeat the run",
        ) from error
    return ids, found, truth


def training_overlap(path: Path, video_ids: Sequence[str]) -> int:
    """Number of these videos whose ids ``save_predictions`` wrote as ``trained``; 0 if they are unknown."""
    return len(trained_videos(path).intersection(video_ids))


def trained_videos(path: Path) -> frozenset[str]:
    """Ids of the training videos that ``save_predictions`` wrote; empty if they are unknown."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return frozenset(name.decode() for name in file["train/video_ids"][:])
    except (OSError, KeyError):  # not finished, imported, damaged or of an older version; scores do not depend on it
        return frozenset()
