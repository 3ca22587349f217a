"""Attention of a sequence to itself, without heads and projections behind it."""

from __future__ import annotations

import math

from torch import Tensor, nn


class PlainSelfAttention(nn.Module):
    """softmax(Q K^T / sqrt(d)) V with one linear map each; no heads, no residual, no norm.

    Args:
        width: channels d.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        """(b t d) -> (b t d)."""
        scores = self.query(x) @ self.key(x).transpose(1, 2) / math.sqrt(x.shape[-1])
        out: Tensor = scores.softmax(dim=-1) @ self.value(x)
        return out
