"""SPAV's encoder, reconstructed from its ingredients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from avelzoo import Encoded, Encoder, Widths
from avelzoo.nn import AudioGuidedAttention, CrossBlock, SelfBlock
from avelzoo_baselines.channels import CLASS_TOKEN
from avelzoo_baselines.shared.positions import LearnedPositions

if TYPE_CHECKING:
    from avelzoo_baselines.spav.configs import SpavConfig


class Spav(Encoder):
    """Co-attention per modality, then self-attention over a class token and the fused segments.

    ::

        v_t = W_v AudioGuidedAttention(a_t, V_t), a_t = ReLU(W_a a_t)
        v' = CrossBlock(v, a), a' = CrossBlock(a, v),  x_t = W [v'_t; a'_t]
        [h_cls; h_1..t] = SelfBlocks([cls; x + P])

    The channel class_token (b d) holds h_cls (Wu et al. 2022; layers of this library's choosing).

    Args:
        config: the options.
        audio_dim: a.
        visual_dim: v.
        cells: h w.
    """

    def __init__(self, config: SpavConfig, *, audio_dim: int, visual_dim: int, cells: int) -> None:
        super().__init__()
        d = config.width
        sizes = (d, config.heads, config.feedforward, config.dropout)
        self.widths = Widths(fused=d, audio=d, visual=d)
        self.attention = AudioGuidedAttention(
            audio_dim, visual_dim, hidden=config.attention_width, cells=cells, axis=config.attention_axis
        )
        self.audio_in = nn.Linear(audio_dim, d)
        self.visual_in = nn.Linear(visual_dim, d)
        self.ask_audio, self.ask_visual = CrossBlock(*sizes), CrossBlock(*sizes)
        self.fusion = nn.Linear(2 * d, d)
        self.token = nn.Parameter(0.02 * torch.randn(1, 1, d))
        self.positions = LearnedPositions(d, config.positions)
        self.blocks = nn.Sequential(*(SelfBlock(*sizes) for _ in range(config.layers)))

    def forward(self, audio: Tensor, visual: Tensor) -> Encoded:
        """(b t a), (b t h w v) -> Encoded, all (b t d)."""
        b, t = audio.shape[:2]
        heard, seen = F.relu(self.audio_in(audio)), self.visual_in(self.attention(audio, visual))
        seen, heard = self.ask_audio(seen, heard), self.ask_visual(heard, seen)
        fused = self.fusion(torch.cat([seen, heard], dim=-1)) + self.positions(t)
        hidden = self.blocks(torch.cat([self.token.expand(b, 1, -1), fused], dim=1))
        return Encoded(fused=hidden[:, 1:], audio=heard, visual=seen, channels={CLASS_TOKEN: hidden[:, 0]})
