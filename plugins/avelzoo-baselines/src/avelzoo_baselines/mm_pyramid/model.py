"""MM-Pyramid's encoder for audio-visual event localization."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from avelzoo import Encoded, Encoder, Widths
from avelzoo.nn import AudioGuidedAttention
from avelzoo_baselines.mm_pyramid.pyramid import Pyramid

if TYPE_CHECKING:
    from avelzoo_baselines.mm_pyramid.configs import MMPyramidConfig


class MMPyramid(Encoder):
    """The public pyramid between a stem and a fusion of ours (Yu et al. 2022; its code for AVE was not released).

    v_t = W_v AudioGuidedAttention(a_t, V_t) + b_v, a_t = W_a a_t + b_a, (V, A) = Pyramid(v, a),
    F_t = ReLU(W [V_t; A_t] + b). The uni-modal outputs are V and A.

    Args:
        config: the options.
        audio_dim: a.
        visual_dim: v.
        cells: h w.
    """

    def __init__(self, config: MMPyramidConfig, *, audio_dim: int, visual_dim: int, cells: int) -> None:
        super().__init__()
        d = config.width
        self.widths = Widths(fused=d, audio=d, visual=d)
        self.attention = AudioGuidedAttention(
            audio_dim, visual_dim, hidden=config.attention_width, cells=cells, axis=config.attention_axis
        )
        self.audio_in = nn.Linear(audio_dim, d)
        self.visual_in = nn.Linear(visual_dim, d)
        self.pyramid = Pyramid(
            d,
            config.heads,
            config.feedforward,
            levels=config.levels,
            dropout=config.dropout,
            attention_dropout=config.attention_dropout,
            equal_layers=config.equal_layers,
        )
        self.fusion = nn.Linear(2 * d, d)

    def forward(self, audio: Tensor, visual: Tensor) -> Encoded:
        """(b t a), (b t h w v) -> Encoded, all (b t d)."""
        seen = self.visual_in(self.attention(audio, visual))
        seen, heard = self.pyramid(seen, self.audio_in(audio))
        fused = F.relu(self.fusion(torch.cat([seen, heard], dim=-1)))
        return Encoded(fused=fused, audio=heard, visual=seen)
