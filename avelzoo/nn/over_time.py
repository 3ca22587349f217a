"""Segments of videos that may differ in length: a mask (b t) is true for real ones, and None where all are."""

from __future__ import annotations

import math

from torch import Tensor


def segments_of(x: Tensor, mask: Tensor | None = None) -> Tensor:
    """Every real segment of every video: (b t ...) -> (k ...)."""
    return x.flatten(0, 1) if mask is None else x[mask]


def mean_over_time(x: Tensor, mask: Tensor | None = None) -> Tensor:
    """Mean over a video's real segments: (b t ...) -> (b ...)."""
    if mask is None:
        return x.mean(dim=1)
    real = mask.view(*mask.shape, *([1] * (x.dim() - 2)))
    return x.masked_fill(~real, 0.0).sum(dim=1) / real.sum(dim=1)


def max_over_time(x: Tensor, mask: Tensor | None = None) -> Tensor:
    """Maximum over a video's real segments: (b t ...) -> (b ...)."""
    if mask is None:
        return x.amax(dim=1)
    real = mask.view(*mask.shape, *([1] * (x.dim() - 2)))
    return x.masked_fill(~real, -math.inf).amax(dim=1)
