"""The encoder 'conv-mix'."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from avelzoo import Encoded, Encoder, Widths


class ConvMix(Encoder):
    """Project both modalities and mix neighbouring segments by one convolution.

    A = W_a a, V = W_v mean_hw(v), F = LayerNorm(Conv1d([A; V])) over time.

    Args:
        audio_dim: audio channels a.
        visual_dim: visual channels v.
        width: output channels d.
        reach: neighbouring segments on each side.
    """

    def __init__(self, *, audio_dim: int, visual_dim: int, width: int, reach: int) -> None:
        super().__init__()
        self.widths = Widths(fused=width, audio=width, visual=width)
        self.audio = nn.Linear(audio_dim, width)
        self.visual = nn.Linear(visual_dim, width)
        self.mix = nn.Conv1d(2 * width, width, kernel_size=2 * reach + 1, padding=reach)
        self.norm = nn.LayerNorm(width)

    def forward(self, audio: Tensor, visual: Tensor) -> Encoded:
        """Encode audio (b t a) and visual (b t h w v); all outputs are (b t d)."""
        audio_features = self.audio(audio)
        visual_features = self.visual(visual.mean(dim=(2, 3)))
        joint = torch.cat([audio_features, visual_features], dim=-1)
        fused = self.mix(joint.transpose(1, 2)).transpose(1, 2)
        return Encoded(fused=self.norm(fused), audio=audio_features, visual=visual_features)
