"""Learned positions for sequences of any length."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class LearnedPositions(nn.Module):
    """A learned row per position; a sequence of another length reads the table by linear interpolation.

    Args:
        width: d.
        length: rows of the table, the usual number of positions.
    """

    def __init__(self, width: int, length: int) -> None:
        super().__init__()
        self.table = nn.Parameter(0.02 * torch.randn(length, width))

    def forward(self, length: int) -> Tensor:
        """(length d)."""
        if length == self.table.shape[0]:
            return self.table
        stretched = F.interpolate(self.table.t().unsqueeze(0), size=length, mode="linear", align_corners=False)
        return stretched.squeeze(0).t()
