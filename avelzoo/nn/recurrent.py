"""Recurrent layers."""

from __future__ import annotations

from torch import Tensor, nn


class BidirectionalLSTM(nn.Module):
    """Bidirectional one-layer LSTM with zero initial states: [forward; backward].

    Args:
        channels: input channels c.
        hidden: channels per direction.
    """

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(channels, hidden, batch_first=True, bidirectional=True)

    def forward(self, x: Tensor) -> Tensor:
        """(b t c) -> (b t 2*hidden)."""
        out: Tensor = self.lstm(x)[0]
        return out
