"""The encoder 'conv-mix'."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from avelzoo import Encoded, Encoder, Widths


class ConvMix(Encoder):
    """A = W_a a, V = W_v mean_hw(v), F = LN(Conv([A; V])).

    Args:
        audio_dim: a.
        visual_dim: v.
        width: d.
        reach: neighbours on each side.
    """

    def __init__(self, *, audio_dim: int, visual_dim: int, width: int, reach: int) -> None:
        super().__init__()
        self.widths = Widths(fused=width, audio=width, visual=width)
        self.audio = nn.Linear(audio_dim, width)
        self.visual = nn.Linear(visual_dim, width)
        self.mix = nn.Conv1d(2 * width, width, kernel_size=2 * reach + 1, padding=reach)
        self.norm = nn.LayerNorm(width)

    def forward(self, audio: Tensor, visual: Tensor) -> Encoded:
        """(b t a), (b t h w v) -> Encoded, all (b t d)."""
        heard = self.audio(audio)
        seen = self.visual(visual.mean(dim=(2, 3)))
        mixed = self.mix(torch.cat([heard, seen], dim=-1).transpose(1, 2)).transpose(1, 2)
        return Encoded(fused=self.norm(mixed), audio=heard, visual=seen)
