"""Label files of the public layout: reading those that training may use, and the rule behind each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from avelzoo.data.annotations import Annotations
from avelzoo.data.h5 import H5Array
from avelzoo.data.header import DOCTOR
from avelzoo.data.layout import NEGATIVE_LABELS, SHARES
from avelzoo.errors import DataError

_ROUNDING = 1e-5  # of tenths in float32


def one_hot(ids: np.ndarray, classes: int) -> np.ndarray:
    """(...) ids -> (... classes) float32."""
    rows: np.ndarray = np.eye(classes, dtype=np.float32)[ids]
    return rows


def _mean(segments: np.ndarray, events: np.ndarray, n: int) -> np.ndarray:
    del events
    shares: np.ndarray = one_hot(segments, n + 1).mean(axis=1)
    return shares


Rule = Callable[[np.ndarray, np.ndarray, int], np.ndarray]
"""(segments (rows t), events (rows), n) -> what a label file holds for these rows, float32."""

RULES: Mapping[str, Rule] = {
    "labels.h5": lambda segments, _, n: one_hot(segments, n + 1),
    "right_labels.h5": lambda segments, _, n: one_hot(segments, n + 1),
    "labels_closs.h5": lambda segments, _, n: (segments != n).astype(np.float32),
    "mil_labels.h5": lambda _, events, n: one_hot(events, n + 1),
    SHARES: _mean,
}
"""How every label file follows from Annotations.txt.

``labels.h5`` and ``right_labels.h5`` (rows t n+1): the category in event segments, background elsewhere.
``labels_closs.h5`` (rows t): 1 in event segments. ``mil_labels.h5`` (rows n+1): the category; its background column
is never set. ``prob_label.h5`` (rows n+1): the mean of ``right_labels.h5`` over time. In AVE's files the rule holds
for all values of ``labels_closs.h5`` and ``mil_labels.h5``; ``labels.h5`` is reported to break it in two rows.
"""


def read_segments(path: Path, annotations: Annotations, t: int) -> tuple[np.ndarray, np.ndarray]:
    """Segment ids and video categories in a file of one-hot segment labels (rows t n+1).

    A video's category is the largest id among its segments, as in the public loaders; where no segment holds an event,
    the annotation's. Segments keep their own ids. In a segment with several categories the largest counts.

    Returns:
        (rows, t) and (rows) int64.

    Raises:
        DataError: the sizes do not fit the annotations, or a value is neither 0 nor 1.
    """
    n = len(annotations.categories)
    labels = _read(path, (len(annotations), t, n + 1))
    odd = np.argwhere((labels != 0) & (labels != 1))
    if odd.size:
        row, segment, column = map(int, odd[0])
        raise DataError(
            "segment labels are not one-hot",
            where=f"{path}, row {row}, segment {segment}",
            found=f"{labels[row, segment, column]:g} for category {column}",
            expected="0 or 1",
            fix=DOCTOR.format(path.parent),
        )
    ids = np.arange(n)
    events = np.where(labels[..., :n] > 0, ids, -1).max(axis=-1)
    largest = events.max(axis=-1)
    return np.where(events < 0, n, events), np.where(largest < 0, annotations.events, largest)


def read_shares(path: Path, annotations: Annotations) -> np.ndarray:
    """(rows) float32: the event's share of every video, 1 - background, from ``prob_label.h5``.

    Raises:
        DataError: the sizes do not fit the annotations, or a share is not between 0 and 1.
    """
    shares = 1.0 - _read(path, (len(annotations), len(annotations.categories) + 1))[:, -1]
    wrong = np.flatnonzero((shares < -_ROUNDING) | (shares > 1 + _ROUNDING))
    if wrong.size:
        raise DataError(
            "a share is not between 0 and 1",
            where=f"{path}, row {wrong[0]}",
            found=f"background {1 - shares[wrong[0]]:g}",
            fix=DOCTOR.format(path.parent),
        )
    return shares.clip(0.0, 1.0)


def count_negatives(root: Path, n: int) -> int:
    """How many negatives ``labels_noisy.h5`` (rows n+1) speaks of.

    Raises:
        DataError: one of them is not background.
    """
    path = root / NEGATIVE_LABELS
    labels = _read(path, (None, n + 1))
    wrong = np.flatnonzero((labels != one_hot(np.array(n), n + 1)).any(axis=1))
    if wrong.size:
        raise DataError(
            "a negative is not labelled as background",
            where=f"{path}, row {wrong[0]}",
            found=f"{len(wrong)} of {len(labels)} rows that are not one-hot at {n}",
            fix="negatives are videos without any event; remove the other rows from all three *_noisy files",
        )
    return len(labels)


def _read(path: Path, shape: tuple[int | None, ...]) -> np.ndarray:
    array = H5Array(path, ndim=len(shape), rows=shape[0])
    if any(want not in (None, have) for want, have in zip(shape, array.shape, strict=True)):
        expected = " x ".join("rows" if size is None else str(size) for size in shape)
        raise DataError(
            "a label file does not fit the annotations",
            where=str(path),
            found=f"shape {array.shape}",
            expected=f"{expected}, as the annotations have {(shape[-1] or 1) - 1} categories besides background",
            fix="use the files that belong together; labels are rebuilt from Annotations.txt when it is not there",
        )
    return array.all()
