"""Label files of the public layout: readers for those used in training, and the rule behind each file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from avelzoo.data.checking.findings import listed
from avelzoo.data.facts import TWO_CATEGORIES, is_ave
from avelzoo.data.reading.annotations import Annotations
from avelzoo.data.reading.h5 import H5Array
from avelzoo.data.reading.layout import BY_NAME, NEGATIVE_LABELS, SHARES, VIDEO_LABELS
from avelzoo.errors import DataError

_ROUNDING = 1e-5  # of tenths in float32
_SUM_ROUNDING = 5e-3  # of tenths in half precision, summed
_BLOCK = 32 << 20
CHOOSE = "correct the file, or use --set dataset.labels=annotations, which rebuilds labels from Annotations.txt"
REBUILD = "correct the file, or remove it: shares are then rebuilt from Annotations.txt"


def one_hot(ids: np.ndarray, classes: int) -> np.ndarray:
    """One-hot encode ids: (...) -> (... classes) float32."""
    rows: np.ndarray = np.eye(classes, dtype=np.float32)[ids]
    return rows


def _mean(segments: np.ndarray, events: np.ndarray, n: int) -> np.ndarray:
    del events
    shares: np.ndarray = one_hot(segments, n + 1).mean(axis=1)
    return shares


Rule = Callable[[np.ndarray, np.ndarray, int], np.ndarray]
"""(segments (rows t), events (rows), n) -> a label file's values for these rows, float32."""

RULES: Mapping[str, Rule] = {
    "labels.h5": lambda segments, _, n: one_hot(segments, n + 1),
    "right_labels.h5": lambda segments, _, n: one_hot(segments, n + 1),
    "labels_closs.h5": lambda segments, _, n: (segments != n).astype(np.float32),
    VIDEO_LABELS: lambda _, events, n: one_hot(events, n + 1),
    SHARES: _mean,
}
"""Rules that derive each label file from Annotations.txt.

``labels.h5`` and ``right_labels.h5`` (rows t n+1): the category in event segments, background elsewhere.
``labels_closs.h5`` (rows t): 1 in event segments. ``mil_labels.h5`` (rows n+1): the category; its background column
is never set. ``prob_label.h5`` (rows n+1): the mean of ``right_labels.h5`` over time. In AVE's files the rule holds
for all values of ``labels_closs.h5`` and ``mil_labels.h5``; two rows of ``labels.h5`` reportedly break it.
"""


def segment_ids(path: Path, annotations: Annotations, t: int) -> np.ndarray:
    """Read the ids, (rows, t) int64, of a file of one-hot segment labels (rows t n+1).

    Two rows of AVE's public labels.h5 reportedly hold two categories; the larger id counts.

    Raises:
        DataError: the sizes do not match the annotations, or a segment is not one-hot.
    """
    n = len(annotations.categories)
    array = _open(path, (len(annotations), t, n + 1))
    known = np.array(sorted(known_rows(path.name, annotations)), dtype=np.int64)
    ids = np.empty((len(annotations), t), dtype=np.int64)
    faults: list[tuple[int, int]] = []
    step = max(1, _BLOCK // array.info.row_bytes)
    for start in range(0, len(array), step):
        stored = array.raw(start, min(start + step, len(array)))
        ones, zeros = np.asarray(stored == 1), np.asarray(stored == 0)
        ids[start : start + len(stored)] = np.where(ones[..., :n].any(axis=-1), _last(ones[..., :n]), n)
        exact = (ones | zeros).all(axis=-1) & (ones.sum(axis=-1) == 1)
        exact[np.isin(np.arange(start, start + len(stored)), known)] = True
        faults += [(start + row, segment) for row, segment in np.argwhere(~exact).tolist()]
    if faults:
        row, segment = faults[0]
        rows = list(dict.fromkeys(row for row, _ in faults))
        raise DataError(
            "segment labels are not one-hot",
            where=f"{path}, row {row}, segment {segment}",
            found=f"{_not_one_hot(array.raw(row, row + 1)[0, segment])}; faulty are {listed(rows)}",
            expected=f"one 1 and {n} zeros per segment",
            fix=CHOOSE,
        )
    return ids


def known_rows(name: str, annotations: Annotations) -> frozenset[int]:
    """Rows of AVE's public label file of this name that are known to differ from the annotations."""
    ave = is_ave(len(annotations), annotations.categories)
    return frozenset(row for row in TWO_CATEGORIES.get(name, ()) if ave and row < len(annotations))


def read_shares_table(path: Path, annotations: Annotations) -> np.ndarray:
    """Read every category's share of each video, (rows, n+1) float32, background last.

    Raises:
        DataError: the sizes do not match the annotations, or a video's shares are not numbers from 0 to 1 with sum 1.
    """
    shares = _open(path, (len(annotations), len(annotations.categories) + 1)).all()
    outside = np.any((shares < -_ROUNDING) | (shares > 1 + _ROUNDING), axis=1)
    total = shares.sum(axis=1)
    wrong = np.flatnonzero(outside | (np.abs(total - 1) > _SUM_ROUNDING))
    if wrong.size:
        row = int(wrong[0])
        values = shares[row]
        raise DataError(
            "a video's shares do not sum to 1" if not outside[row] else "a share is not between 0 and 1",
            where=f"{path}, row {row}",
            found=(f"{values.min():g} to {values.max():g}" if outside[row] else f"sum {total[row]:g}")
            + f"; faulty are {listed(wrong)}",
            expected="numbers from 0 to 1 that sum to 1 in every row",
            fix=REBUILD,
        )
    return shares


def count_negatives(root: Path, n: int) -> int:
    """Number of negatives in ``labels_noisy.h5`` (rows n+1).

    Raises:
        DataError: a row is not labelled background.
    """
    path = root / NEGATIVE_LABELS
    labels = _open(path, (None, n + 1)).all()
    wrong = np.flatnonzero((labels != one_hot(np.array(n), n + 1)).any(axis=1))
    if wrong.size:
        raise DataError(
            "a negative is not labelled as background",
            where=f"{path}, row {wrong[0]}",
            found=f"{len(wrong)} of {len(labels)} rows not one-hot at {n}",
            fix="remove these rows from all three *_noisy files: negatives are videos without an event",
        )
    return len(labels)


def _open(path: Path, shape: tuple[int | None, ...]) -> H5Array:
    array = H5Array(path, axes=BY_NAME[path.name].axes, rows=shape[0])
    if any(want not in (None, have) for want, have in zip(shape, array.shape, strict=True)):
        expected = " x ".join("rows" if size is None else str(size) for size in shape)
        raise DataError(
            "a label file does not match the annotations",
            where=str(path),
            found=f"shape {array.shape}",
            expected=f"{expected}: the annotations have {(shape[-1] or 1) - 1} categories besides background",
            fix="use files of the same data set; without this file, labels are rebuilt from Annotations.txt",
        )
    return array


def _last(ones: np.ndarray) -> np.ndarray:
    """Last column that is set, (...)."""
    last: np.ndarray = ones.shape[-1] - 1 - ones[..., ::-1].argmax(axis=-1)
    return last


def _not_one_hot(values: np.ndarray) -> str:
    odd = np.flatnonzero((values != 0) & (values != 1))
    if odd.size:
        return f"{values[odd[0]]:g} in column {odd[0]}"
    ones = np.flatnonzero(values == 1)
    return f"1 in the columns {', '.join(map(str, ones[:5].tolist()))}" if ones.size else "only zeros"
