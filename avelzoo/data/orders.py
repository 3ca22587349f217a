"""The order files: which rows make up the train, val and test splits."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np

from avelzoo.data.h5 import H5Array
from avelzoo.data.header import DOCTOR
from avelzoo.data.layout import ORDER_KEYS, ORDERS, need_file
from avelzoo.errors import DataError

_SHOWN = 5


def read_order(path: Path, rows: int) -> np.ndarray:
    """Row numbers of a split, in the file's order.

    Args:
        path: the file.
        rows: number of rows there are.

    Returns:
        (videos) int64.

    Raises:
        DataError: the file is not a list of different whole numbers from 0 to ``rows - 1``.
    """
    array = H5Array(path, keys=ORDER_KEYS, ndim=1)
    stored = array.raw(0, len(array))
    with np.errstate(invalid="ignore"):
        order = stored.astype(np.int64)
        whole = np.array_equal(order, stored)
    if not whole:
        raise _fault(path, "an order file holds numbers that are not whole", stored[order != stored], "row numbers")
    outside = (order < 0) | (order >= rows)
    if outside.any():
        raise _fault(
            path,
            "an order file names rows that do not exist",
            order[outside],
            f"numbers from 0 to {rows - 1}, as the annotations have {rows} rows",
        )
    values, counts = np.unique(order, return_counts=True)
    if (counts > 1).any():
        raise _fault(path, "an order file names rows more than once", values[counts > 1], "every row once")
    return order


def read_orders(root: Path, rows: int) -> dict[str, np.ndarray]:
    """Row numbers by split.

    Raises:
        DataError: a file is missing or wrong, or two splits share rows.
    """
    paths = {name: need_file(root, file, purpose=f"the {name} split") for name, file in ORDERS.items()}
    orders = {name: read_order(path, rows) for name, path in paths.items()}
    for fault in overlaps(root, orders):
        raise fault
    return orders


def overlaps(root: Path, orders: dict[str, np.ndarray]) -> list[DataError]:
    """An error for every pair of splits that share rows."""
    faults = []
    for one, other in combinations(orders, 2):
        shared = np.intersect1d(orders[one], orders[other])
        if shared.size:
            where = root / ORDERS[one]
            problem = f"the {one} and {other} splits share rows"
            faults.append(_fault(where, problem, shared, f"no row of {ORDERS[one]} in {ORDERS[other]}"))
    return faults


def _fault(path: Path, problem: str, values: np.ndarray, expected: str) -> DataError:
    shown = ", ".join(str(value) for value in values[:_SHOWN].tolist())
    more = f" and {len(values) - _SHOWN} more" if len(values) > _SHOWN else ""
    return DataError(problem, where=str(path), found=shown + more, expected=expected, fix=DOCTOR.format(path.parent))
