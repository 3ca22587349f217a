"""Fixed positional encodings."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from avelzoo.nn.cpu.pieces.layers import AddTable, Layer


def sinusoids(length: int, width: int) -> Tensor:
    """Sinusoidal table: row p holds sin(p w_i) at column 2i and cos(p w_i) at 2i+1, w_i = 10000^(-2i/width).

    Args:
        length: number of positions.
        width: channels; with an odd width, the last channel is a sine.

    Returns:
        (length width), float32.
    """
    position = torch.arange(length, dtype=torch.float32).unsqueeze(1)
    rate = torch.exp(torch.arange(0, width, 2, dtype=torch.float32) * (-math.log(10000.0) / width))
    table = torch.zeros(length, width)
    table[:, 0::2] = torch.sin(position * rate)
    table[:, 1::2] = torch.cos(position * rate[: width // 2])
    return table


class AddSinusoids(nn.Module):
    """x + sinusoids: adds each position's row of the table to a sequence."""

    def forward(self, x: Tensor) -> Tensor:
        """(b s d) -> (b s d)."""
        return x + sinusoids(x.shape[1], x.shape[2]).to(x)

    def piece_layers(self, length: int) -> list[Layer]:
        """This module in a chain of `avelzoo.nn.cpu.pieces`."""
        return [AddTable(sinusoids, length)]
