"""Dropout with cheap masks: on a CPU, drawing Bernoulli numbers one at a time took a third of a training step."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

_LEVELS = 1 << 16
_LARGE = 1 << 14
"""Elements from which cheap masks pay; below, torch's own are as fast."""


class Dropout(nn.Dropout):
    """Zeroes each element with probability p and multiplies the others by 1 / (1 - p), in training only.

    On a CPU, large masks come from 16 random bits an element, so p is rounded to a multiple of 2^-16 (by less than
    1e-5) and the factor to match: the expectation is exact. Their seed is drawn from torch's generator, so that a seed
    or a restored generator state fixes the masks. Elsewhere it is torch's own dropout.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002, the name is torch's
        """(...) -> (...)."""
        return dropout(input, self.p, training=self.training)


def dropout(x: Tensor, p: float, *, training: bool = True) -> Tensor:
    """See `Dropout`."""
    if not training or p == 0.0:
        return x
    threshold = round(p * _LEVELS)
    if x.device.type != "cpu" or x.numel() < _LARGE or not 0 < threshold < _LEVELS:
        return F.dropout(x, p)
    dropped: Tensor = _CheapDropout.apply(x, threshold)
    return dropped


class _CheapDropout(torch.autograd.Function):
    """Keeps one byte an element for the backward pass."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, threshold: int) -> Tensor:
        gone = _random_bits(x.numel()).view(x.shape) < threshold - _LEVELS // 2
        ctx.save_for_backward(gone)
        ctx.factor = _LEVELS / (_LEVELS - threshold)
        kept: Tensor = (x * ctx.factor).masked_fill_(gone, 0.0)
        return kept

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (gone,) = ctx.saved_tensors
        return (grads[0] * ctx.factor).masked_fill_(gone, 0.0), None


def _random_bits(count: int) -> Tensor:
    """(count) int16, uniform over all values."""
    seed = int(torch.randint(2**62, ()))
    raw = np.random.SFC64(seed).random_raw((count + 3) // 4)
    return torch.from_numpy(raw.view(np.int16))[:count]
