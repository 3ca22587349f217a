"""Sizes of arrays: what they should be, and what a wrong one may be in truth."""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt

AXES = {"t": "segments t", "h": "grid rows h", "w": "grid columns w", "v": "channels v", "a": "channels a"}


def named(axes: Sequence[str]) -> str:
    """``3 axes: rows, segments t, channels a``."""
    count = len(axes)
    return f"{count} {'axis' if count == 1 else 'axes'}: {', '.join(AXES.get(axis, axis) for axis in axes)}"


def reshaped(shape: Sequence[int], axes: Sequence[str]) -> str:
    """How visual features with too few axes can be stored so that they fit; empty where that is not clear."""
    if tuple(axes[-3:]) != ("h", "w", "v"):
        return ""
    if len(shape) == 3:
        rows, t, v = shape
        return f"({rows}, {t}, 1, 1, {v}) for features that are pooled over the grid"
    if len(shape) == 4:
        rows, t, cells, v = shape
        side = isqrt(cells)
        if side**2 == cells:
            return f"({rows}, {t}, {side}, {side}, {v}) for a grid of {cells} cells"
    return ""


def channels_first(shape: Sequence[int]) -> bool:
    """Whether visual features (rows, t, h, w, v) look like (rows, t, v, h, w).

    The last two sizes are then those of a grid: alike, or both much smaller than the one before.
    """
    h, w, v = shape[-3:]
    return v < h and w < h and (w == v or h >= 2 * max(w, v))
