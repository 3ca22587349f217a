"""Checks of single values of a prediction file."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avelzoo.auditing.reading.entries import Label
from avelzoo.errors import DataError

Stop = Callable[..., DataError]
"""Makes the error of an entry: (problem, found=, expected=, fix=)."""

_LARGEST = 1 << 31


def label(value: Any, stop: Stop) -> Label:
    """A name or an id.

    Raises:
        DataError: the value is neither.
    """
    if isinstance(value, str) and value.strip():
        return value.strip()
    if value is None:
        return "none"
    if isinstance(value, float) and value.is_integer() and abs(value) < _LARGEST:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LARGEST:
        return value
    raise stop("a segment is neither a name nor an id", found=repr(value), expected="a category, background or an id")


def row_number(value: Any, stop: Stop) -> int:
    """A row number, 0 or more.

    Raises:
        DataError: the value is none.
    """
    number = parsed(value) if isinstance(value, str) and len(value) < 12 else value
    whole = isinstance(number, int | float) and not isinstance(number, bool) and float(number).is_integer()
    if not whole or not 0 <= number < _LARGEST:
        raise stop("a row number is not a whole number", found=repr(value), expected="0 or more")
    return int(number)


def video_name(value: Any, stop: Stop) -> str:
    """Name of a video.

    Raises:
        DataError: the value is no text.
    """
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if not isinstance(value, str) or not value.strip():
        raise stop("a video's name is not text", found=repr(value), expected="the name of the video")
    return value.strip()


def numbers(value: Any, axes: int, name: str, stop: Stop) -> NDArray[np.float64]:
    """Finite numbers with one or two axes, none of them empty.

    Raises:
        DataError: another form, unequal rows, NaN or infinity.
    """
    expected = "finite numbers, equally many for every segment" if axes == 2 else "one finite number per segment"
    if isinstance(value, Sequence) and not isinstance(value, str):
        flat = [inner for row in value for inner in row] if axes == 2 and all(map(_listed, value)) else list(value)
        if not all(isinstance(x, int | float) and not isinstance(x, bool) for x in flat):
            raise stop(f"{name} are not numbers", found=repr(value), expected=expected)
    try:
        array = np.asarray(value, dtype=np.float64)
    except (ValueError, TypeError, OverflowError):
        raise stop(f"{name} have the wrong form", found=repr(value), expected=expected) from None
    if array.ndim != axes or not array.size:
        raise stop(f"{name} have the wrong form", found=f"shape {array.shape}", expected=expected)
    if not np.isfinite(array).all():
        raise stop(f"{name} hold NaN or infinity", found=first_infinite(array[None]), expected=expected)
    return array


def first_infinite(array: NDArray[Any]) -> str:
    """The first value of (v t ...) that is not finite, its segment and column from 0, and how many there are."""
    places = np.argwhere(~np.isfinite(array))
    at = places[0].tolist()
    named = [f"{name} {i}" for name, i in zip(("segment", "column"), at[1:], strict=False)]
    return f"{array[tuple(at)]:g}" + (f" in {', '.join(named)}" if named else "") + f"; {len(places):,} in all"


def parsed(text: str) -> float:
    """A number in a table's cell; NaN if the text is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def _listed(value: Any) -> bool:
    return isinstance(value, list | tuple)
