"""Dropout with cheap masks. On a CPU, drawing single Bernoulli numbers took a third of a training step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from avelzoo.nn.cpu import cpu_layers

_LEVELS = 1 << 16
_LARGE = 1 << 14
"""Number of elements from which cheap masks save time; below, those of torch are as fast."""
_PIECE = 1 << 15
"""Elements of a piece for each of at least two threads: in float32 half a MB with random bits, mask and values, which
stays in a core's cache; and the least for which PyTorch starts another thread."""


class Dropout(nn.Dropout):
    """Zero each element with probability p and multiply the others by 1 / (1 - p), in training only.

    On a CPU, large masks use 16 random bits per element: p is rounded to a multiple of 2^-16 (by less than 1e-5), and
    the factor matches it, so the expectation is exact. The seed of a mask is drawn from torch's generator, so a seed
    or a restored generator state fixes the masks. In all other cases this is torch's own dropout.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002, the name is torch's
        """(...) -> (...)."""
        return dropout(input, self.p, training=self.training)


def dropout(x: Tensor, p: float, *, training: bool = True) -> Tensor:
    """See `Dropout`."""
    if not training or p == 0.0:
        return x
    if not (cpu_layers(x) and worth_cheap_mask(x.numel(), p)):
        return F.dropout(x, p)
    dropped: Tensor = _CheapDropout.apply(x, p, draw_seed())
    return dropped


def worth_cheap_mask(elements: int, p: float) -> bool:
    """Whether a cheap mask saves time: there are many elements, and 16 bits distinguish p from 0 and 1."""
    return elements >= _LARGE and 0 < round(p * _LEVELS) < _LEVELS


def draw_seed() -> int:
    """Draw the seed of a mask from torch's generator."""
    return int(torch.randint(2**62, ()))


def mask_into(out: Tensor, x: Tensor, p: float, seed: int, *, scaled: bool) -> float:
    """Write x to ``out``, each element zeroed with probability p; the seed determines which.

    No mask is ever whole: a backward pass draws it again for less than it costs to keep.

    Args:
        out: contiguous, of x's size and type; may be x.
        x: contiguous.
        p: probability.
        seed: of the mask.
        scaled: multiply what stays by the factor.

    Returns:
        The factor 1 / (1 - p), p as it was rounded.
    """
    factor = factor_of(p)
    for keep, target, source in _with_masks(p, seed, out, x):
        torch.mul(source, keep, out=target)
        if scaled:
            target.mul_(factor)
    return factor


def add_masked(out: Tensor, x: Tensor, y: Tensor, p: float, seed: int) -> None:
    """out = x + Dropout(y); all contiguous and of one size and type; ``out`` may be y."""
    factor = factor_of(p)
    for keep, target, added, dropped in _with_masks(p, seed, out, x, y):
        torch.addcmul(added, dropped, keep, value=factor, out=target)


def mask_of(like: Tensor, p: float, seed: int) -> tuple[Tensor, float]:
    """Ones, with probability p zeros, of another tensor's shape and type, and the factor 1 / (1 - p) for the rounded p.

    Args:
        like: (...).
        p: probability.
        seed: of the mask.
    """
    mask = torch.empty_like(like, memory_format=torch.contiguous_format)
    for keep, target in _with_masks(p, seed, mask):
        target.copy_(keep)
    return mask, factor_of(p)


def _with_masks(p: float, seed: int, *values: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """A piece of the mask, overwritten by the next, and the same piece of each value: contiguous, of one size and type.

    The mask does not depend on the size of the pieces, a multiple of 4.
    """
    bits, size = np.random.Generator(np.random.SFC64(seed)), _PIECE * max(2, torch.get_num_threads())
    threshold = round(p * _LEVELS) - _LEVELS // 2
    keep = values[0].new_empty(min(size, values[0].numel()))
    for pieces in zip(*(torch.split(value.view(-1), size) for value in values), strict=True):
        count = pieces[0].numel()
        # not `random_raw`, during which no other Python thread runs
        raw = bits.integers(0, 2**64, size=(count + 3) // 4, dtype=np.uint64)
        drawn = torch.from_numpy(raw.view(np.int16))
        if count < size:
            keep, drawn = keep[:count], drawn[:count]
        yield torch.ge(drawn, threshold, out=keep), *pieces


def factor_of(p: float) -> float:
    """1 / (1 - p) for the rounded p."""
    return _LEVELS / (_LEVELS - round(p * _LEVELS))


class _CheapDropout(torch.autograd.Function):
    """Dropout that stores only a seed for the backward pass."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, p: float, seed: int) -> Tensor:
        ctx.drawn = (p, seed)
        out = torch.empty_like(x, memory_format=torch.contiguous_format)
        mask_into(out, x.contiguous(), p, seed, scaled=True)
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        p, seed = ctx.drawn
        given = grads[0].contiguous()
        out = torch.empty_like(given)
        mask_into(out, given, p, seed, scaled=True)
        return out, None, None
