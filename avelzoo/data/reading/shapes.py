"""Shapes of arrays: descriptions of the expected ones, and guesses about wrong ones."""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt

AXES = {"t": "segments t", "h": "grid rows h", "w": "grid columns w", "v": "channels v", "a": "channels a"}


def named(axes: Sequence[str]) -> str:
    """Describe axes: ``3 axes: rows, segments t, channels a``."""
    count = len(axes)
    return f"{count} {'axis' if count == 1 else 'axes'}: {', '.join(AXES.get(axis, axis) for axis in axes)}"


def reshaped(shape: Sequence[int], axes: Sequence[str]) -> str:
    """Suggest a shape for visual features with too few axes; empty if unclear."""
    if tuple(axes[-3:]) != ("h", "w", "v"):
        return ""
    if len(shape) == 3:
        rows, t, v = shape
        return f"({rows}, {t}, 1, 1, {v}) for features pooled over the grid"
    if len(shape) == 4:
        rows, t, cells, v = shape
        side = isqrt(cells)
        if side**2 == cells:
            return f"({rows}, {t}, {side}, {side}, {v}) for a grid of {cells} cells"
    return ""


def channels_first(shape: Sequence[int]) -> bool:
    """Whether visual features (rows, t, h, w, v) look like (rows, t, v, h, w).

    The last two sizes then look like a grid: equal, or both much smaller than the size before.
    """
    h, w, v = shape[-3:]
    return v < h and w < h and (w == v or h >= 2 * max(w, v))
