"""Dropout with cheap masks. On a CPU, drawing single Bernoulli numbers took a third of a training step."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from avelzoo.nn.cpu import cpu_layers

_LEVELS = 1 << 16
_LARGE = 1 << 14
"""Number of elements from which cheap masks save time; below, those of torch are as fast."""
_PIECE = 1 << 21
"""Elements of a piece, a multiple of 4. Larger than in `avelzoo.nn.cpu.pieces`: every operation on a piece is
a parallel loop with a barrier at its end."""


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

    Goes over the memory once, a piece at a time, so that of a large tensor no mask is ever whole: a backward pass draws
    it again for less than it costs to keep. The masks do not depend on the size of the pieces.

    Args:
        out: contiguous, of x's size and type; may be x.
        x: contiguous.
        p: probability.
        seed: of the mask.
        scaled: multiply what stays by the factor.

    Returns:
        The factor 1 / (1 - p), p as it was rounded.
    """
    source, target = x.view(-1), out.view(-1)
    bits, factor = np.random.SFC64(seed), 1.0
    for start in range(0, source.numel(), _PIECE):
        piece = target[start : start + _PIECE]
        keep, factor = mask_of(piece, p, bits)
        torch.mul(source[start : start + _PIECE], keep, out=piece)
        if scaled:
            piece.mul_(factor)
    return factor


def mask_of(like: Tensor, p: float, bits: np.random.SFC64) -> tuple[Tensor, float]:
    """Ones, with probability p zeros, of another tensor's shape and type, and the factor 1 / (1 - p) for the rounded p.

    Args:
        like: (...).
        p: probability.
        bits: the next random bits are taken from it.
    """
    threshold = round(p * _LEVELS)
    count = like.numel()
    drawn = torch.from_numpy(bits.random_raw((count + 3) // 4).view(np.int16))[:count]
    keep = torch.empty(count, dtype=like.dtype)
    torch.ge(drawn, threshold - _LEVELS // 2, out=keep)
    return keep.view(like.shape), factor_of(p)


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
