"""Pieces of a tensor, and sums of their gradients."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor


def slices(x: Tensor, rows: int) -> Iterator[slice]:
    """Slices over the sequences of (m s d), of about so many rows; sequences are not divided."""
    step = sequences(x, rows)
    for start in range(0, x.shape[0], step):
        yield slice(start, min(start + step, x.shape[0]))


def even_slices(x: Tensor, rows: int) -> list[slice]:
    """Slices over the sequences of (m s d), of at most so many rows and nearly one size; an even number, if several.

    So threads end together; the number does not depend on theirs, because each slice has dropout masks of its own.
    """
    m, most = x.shape[0], sequences(x, rows)
    count = -(-m // most)
    count = min(m, count + count % 2) if count > 1 else 1
    bounds = [m * place // count for place in range(count + 1)]
    return [slice(start, stop) for start, stop in pairwise(bounds)]


def sequences(x: Tensor, rows: int) -> int:
    """Number of sequences of (m s d) in a slice."""
    return max(1, rows // max(1, x.shape[1]))


def sums_like(weight: Tensor) -> Tensor:
    """Zeros for a sum of gradients, in float32 or better."""
    return torch.zeros_like(weight, dtype=torch.promote_types(weight.dtype, torch.float32))


def add_product(total: Tensor, a: Tensor, b: Tensor, factor: float = 1.0) -> None:
    """total += factor a b."""
    if total.dtype == a.dtype:
        total.addmm_(a, b, alpha=factor)
    else:
        total.add_(a @ b, alpha=factor)


def add_rows(total: Tensor, rows: Tensor, factor: float = 1.0) -> None:
    """total += factor times the sum of the rows."""
    # torch sums rows of 16 bits in float32; asking it for a float32 result would copy them first
    total.add_(rows.sum(dim=0), alpha=factor)
