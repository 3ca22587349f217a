"""Rows of the train, val and test splits."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path

import numpy as np

from avelzoo.data.reading.annotation_rows import Annotation
from avelzoo.data.reading.annotations import Annotations, read_rows
from avelzoo.data.reading.h5 import H5Array
from avelzoo.data.reading.header import DOCTOR, read_info
from avelzoo.data.reading.layout import ORDER_KEYS, ORDERS, TEXT_SPLITS, is_there, need_file
from avelzoo.errors import DataError, some

_SHOWN = 5
PURPOSES: Mapping[str, str] = {
    "train": "needed to train the model",
    "val": "needed to select the epoch and the thresholds",
    "test": "needed for the reported scores",
}


def order_files(root: Path) -> Mapping[str, str]:
    """File of each split: the order files, or the text splits of AVE's video archive if only those exist."""
    order = any(is_there(root / file) for file in ORDERS.values())
    text = all((root / file).is_file() for file in TEXT_SPLITS.values())
    return TEXT_SPLITS if text and not order else ORDERS


def read_order(path: Path, annotations: Annotations) -> np.ndarray:
    """Read the row numbers of a split, in the file's order.

    Args:
        path: an order file, or a text file with annotations of the split's videos.
        annotations: the folder's annotations.

    Returns:
        (videos) int64.

    Raises:
        DataError: an order file is not a list of distinct whole numbers from 0 to ``rows - 1``; a line of a text file
            is not in the annotations; the split is empty.
    """
    if path.name in TEXT_SPLITS.values():
        return _text_order(path, annotations)
    stored = _stored(path)
    with np.errstate(invalid="ignore"):
        order = stored.astype(np.int64)
        whole = np.array_equal(order, stored)
    if not whole:
        raise _fault(path, "an order file holds non-integer numbers", stored[order != stored], "row numbers")
    rows = len(annotations)
    outside = (order < 0) | (order >= rows)
    if outside.any():
        from_one = order.min() >= 1 and order.max() == rows
        raise _fault(
            path,
            "an order file lists rows that do not exist",
            order[outside],
            f"numbers from 0 to {rows - 1}: the annotations have {rows} rows",
            "the file seems to count from 1: subtract 1 from all numbers in all order files" if from_one else "",
        )
    values, counts = np.unique(order, return_counts=True)
    if (counts > 1).any():
        raise _fault(path, "an order file lists rows more than once", values[counts > 1], "every row once")
    return order


def read_orders(root: Path, annotations: Annotations) -> dict[str, np.ndarray]:
    """Read the row numbers of every split.

    Raises:
        DataError: a file is missing or wrong, or two splits share rows.
    """
    files = order_files(root)
    paths = {name: need_file(root, file, purpose=f"the {name} split") for name, file in files.items()}
    orders = {name: read_order(path, annotations) for name, path in paths.items()}
    for fault in overlaps(root, orders):
        raise fault
    return orders


def overlaps(root: Path, orders: dict[str, np.ndarray]) -> list[DataError]:
    """Yield an error for every pair of splits that share rows."""
    faults, files = [], order_files(root)
    for one, other in combinations(orders, 2):
        shared = np.intersect1d(orders[one], orders[other])
        if shared.size:
            where = root / files[one]
            problem = f"the {one} and {other} splits share rows"
            faults.append(_fault(where, problem, shared, f"no row of {files[one]} in {files[other]}"))
    return faults


def _stored(path: Path) -> np.ndarray:
    """Read the numbers of an order file, unchecked."""
    shape = read_info(path, ORDER_KEYS).shape
    if len(shape) != 1:
        raise DataError(
            "an order file holds a table instead of a list",
            where=str(path),
            found=f"shape {shape}",
            expected=f"one axis: ({max(shape)},)",
            fix="write it again with one axis, for example order.reshape(-1); row numbers count from 0",
        )
    if not shape[0]:
        raise _empty(path)
    array = H5Array(path, keys=ORDER_KEYS, axes=("videos",))
    return array.raw(0, len(array))


def _text_order(path: Path, annotations: Annotations) -> np.ndarray:
    """Match the lines of a text split to annotation rows; a repeated line takes the next equal row."""
    places: dict[tuple[str, str, int, int], deque[int]] = defaultdict(deque)
    for number, row in enumerate(annotations.rows):
        places[_identity(row)].append(number)
    order = []
    for row in read_rows(path):
        rows = places[_identity(row)]
        if not rows:
            raise DataError(
                "a text split lists a video that is not in the annotations, or lists it twice",
                where=f"{path}, line {row.line}",
                found=str(row),
                expected=f"lines of {annotations.path.name}, each once",
                fix="use files of the same data set, or write the row numbers into order files",
            )
        order.append(rows.popleft())
    if not order:
        raise _empty(path)
    return np.array(order, dtype=np.int64)


def _identity(row: Annotation) -> tuple[str, str, int, int]:
    return row.category, row.video_id, row.start, row.end


def _empty(path: Path) -> DataError:
    name = next(name for files in (ORDERS, TEXT_SPLITS) for name, file in files.items() if file == path.name)
    return DataError(
        f"the {name} split is empty",
        where=str(path),
        found="no row number",
        expected=f"at least one video: {PURPOSES[name]}",
        fix=f"move some rows from another split to {name}",
    )


def _fault(path: Path, problem: str, values: np.ndarray, expected: str, fix: str = "") -> DataError:
    fix = fix or DOCTOR.format(path.parent)
    return DataError(problem, where=str(path), found=some(values.tolist(), _SHOWN), expected=expected, fix=fix)
