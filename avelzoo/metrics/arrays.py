"""Array types, the checks behind the records, and ratios that may be undefined."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from avelzoo.errors import DataError

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float32]
BoolArray = NDArray[np.bool_]

SLACK = 1e-5
"""How far a score may leave [0, 1] by rounding (a float32 sum of probabilities does) before it counts as wrong."""


def ids(value: ArrayLike, *, where: str, shape: tuple[int | None, ...], below: int, fix: str) -> IntArray:
    """Integer ids in 0..below-1 as int64.

    Args:
        value: array of any integer type.
        where: name for error messages.
        shape: expected shape; None stands for any length >= 1.
        below: smallest id that is too large.
        fix: what to do about a wrong array.

    Raises:
        DataError: other type, shape or range.
    """
    array = np.asarray(value)
    if array.dtype.kind not in "iu":
        raise DataError("Ids must be integers.", where=where, found=f"type {array.dtype}", expected="int64", fix=fix)
    _check_shape(array, where=where, shape=shape, fix=fix)
    low, high = int(array.min()), int(array.max())
    if low < 0 or high >= below:
        raise DataError(
            "Ids are out of range.", where=where, found=f"{low}..{high}", expected=f"0..{below - 1}", fix=fix
        )
    return array.astype(np.int64, copy=False)


def scores(value: ArrayLike, *, where: str, shape: tuple[int | None, ...], fix: str) -> FloatArray:
    """Scores without NaN as float32.

    Raises:
        DataError: other type or shape, or NaN among the values.
    """
    array = np.asarray(value)
    if array.dtype.kind != "f":
        raise DataError("Scores must be floats.", where=where, found=f"type {array.dtype}", expected="float32", fix=fix)
    _check_shape(array, where=where, shape=shape, fix=fix)
    missing = int(np.isnan(array).sum())
    if missing:
        raise DataError("Scores hold NaN.", where=where, found=f"{missing} NaN", expected="numbers", fix=fix)
    return array.astype(np.float32, copy=False)


def unit_scores(value: ArrayLike, *, where: str, shape: tuple[int | None, ...], fix: str) -> FloatArray:
    """Scores in [0, 1] as float32; what rounding pushed out by at most ``SLACK`` is clipped.

    Raises:
        DataError: other type, shape or range.
    """
    array = scores(value, where=where, shape=shape, fix=fix)
    low, high = float(array.min()), float(array.max())
    if low < -SLACK or high > 1 + SLACK:
        raise DataError("Scores leave [0, 1].", where=where, found=f"{low:g}..{high:g}", expected="0..1", fix=fix)
    return array if low >= 0 and high <= 1 else np.clip(array, 0, 1)


def _check_shape(array: NDArray[Any], *, where: str, shape: tuple[int | None, ...], fix: str) -> None:
    fits = array.ndim == len(shape) and all(
        found == wanted if wanted is not None else found >= 1 for found, wanted in zip(array.shape, shape, strict=True)
    )
    if not fits:
        wanted = ", ".join("at least 1" if size is None else str(size) for size in shape)
        raise DataError(
            "An array has the wrong shape.", where=where, found=str(array.shape), expected=f"({wanted})", fix=fix
        )


def ratio(part: float, whole: float) -> float | None:
    """The quotient of both, or None where ``whole`` is 0."""
    return float(part) / float(whole) if whole else None


def mean(values: NDArray[Any]) -> float | None:
    """Mean of all values, or None where there are none."""
    return float(values.mean(dtype=np.float64)) if values.size else None
