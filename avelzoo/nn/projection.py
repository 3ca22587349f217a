"""Input projections."""

from __future__ import annotations

from torch import nn

from avelzoo.nn.cpu.dropout import Dropout


def projection(channels: int, width: int, dropout: float) -> nn.Sequential:
    """Input projection Dropout(W2 LeakyReLU(W1 x)): (... channels) -> (... width).

    Args:
        channels: input channels.
        width: hidden and output channels.
        dropout: dropout on the output.
    """
    return nn.Sequential(
        nn.Linear(channels, width), nn.LeakyReLU(inplace=True), nn.Linear(width, width), Dropout(dropout)
    )
