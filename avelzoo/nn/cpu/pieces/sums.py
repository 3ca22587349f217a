"""Pieces of a tensor, and sums of their gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TypeVar

import torch
from torch import Tensor

from avelzoo.nn.cpu.pieces.workers import in_threads, shared_out

Part = TypeVar("Part")


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


class Sums:
    """Sums of gradients over pieces, in float32 or better; each is made by the first summand.

    Args:
        like: what each gradient belongs to.
    """

    def __init__(self, like: Sequence[Tensor]) -> None:
        self._like = like
        self._made: list[Tensor | None] = [None] * len(like)

    def add(self, index: int, value: Tensor, factor: float = 1.0) -> None:
        """sum[index] += factor value; a first value of the sum's type becomes the sum itself."""
        total = self._made[index]
        if total is not None:
            total.add_(value, alpha=factor)
            return
        value = value.to(self._dtype(index))
        self._made[index] = value if factor == 1 else value.mul_(factor)

    def add_product(self, index: int, a: Tensor, b: Tensor, factor: float = 1.0) -> None:
        """sum[index] += factor a b."""
        total = self._made[index]
        if a.dtype != self._dtype(index):
            self.add(index, a @ b, factor)
        elif total is None:
            self._made[index] = scaled_product(a, b, factor)
        else:
            total.addmm_(a, b, alpha=factor)

    def add_rows(self, index: int, rows: Tensor, factor: float = 1.0) -> None:
        """sum[index] += factor times the sum of the rows."""
        # torch sums rows of 16 bits in float32; asking it for a float32 result would copy them first
        self.add(index, rows.sum(dim=0), factor)

    def add_all(self, others: Sums) -> None:
        """Add the sums of other pieces; these must not be used any more."""
        for index, other in enumerate(others._made):
            if other is not None:
                self.add(index, other)

    def values(self) -> list[Tensor]:
        """The sums, in the type of what they belong to; zero without a summand."""
        return [
            torch.zeros_like(one) if total is None else total.to(one.dtype)
            for one, total in zip(self._like, self._made, strict=True)
        ]

    def _dtype(self, index: int) -> torch.dtype:
        return torch.promote_types(self._like[index].dtype, torch.float32)


def summed(work: Callable[[Sequence[Part]], Sums], parts: Sequence[Part]) -> list[Tensor]:
    """The values of the sums over all parts; each thread adds up its own.

    Args:
        work: sums over some of the parts, in one thread.
        parts: in order.
    """
    total, *others = in_threads(work, shared_out(parts))
    for other in others:
        total.add_all(other)
    return total.values()


def scaled_product(a: Tensor, b: Tensor, factor: float) -> Tensor:
    """factor a b, of matrices or of batches of matrices, in one pass."""
    out = a.new_empty(*a.shape[:-1], b.shape[-1])
    product = torch.addmm if a.dim() == 2 else torch.baddbmm
    return product(out, a, b, beta=0, alpha=factor, out=out)
