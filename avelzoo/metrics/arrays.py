"""Array types, checks of the records' arrays, and ratios that may be undefined."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from avelzoo.errors import DataError

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float32]
BoolArray = NDArray[np.bool_]

SLACK = 1e-5
"""Tolerance for scores outside [0, 1], caused by rounding in float32 sums of probabilities."""


def ids(value: ArrayLike, *, where: str, shape: tuple[int | None, ...], below: int, fix: str) -> IntArray:
    """Check ids in 0..below-1 and convert them to int64.

    Args:
        value: array of any integer type.
        where: name for error messages.
        shape: expected shape; None for any length >= 1.
        below: exclusive upper bound.
        fix: remedy for error messages.

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
    """Check that scores contain no NaN, and convert them to float32.

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
    """Check scores in [0, 1] and convert them to float32; deviations of at most ``SLACK`` are clipped.

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
    """Quotient ``part / whole``, or None if ``whole`` is 0."""
    return float(part) / float(whole) if whole else None


def mean(values: NDArray[Any]) -> float | None:
    """Mean of all values, or None for an empty array."""
    return float(values.mean(dtype=np.float64)) if values.size else None
