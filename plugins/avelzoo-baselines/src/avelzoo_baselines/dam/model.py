"""DAM's encoder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from avelzoo import Encoded, Encoder, Widths
from avelzoo.nn import AudioGuidedAttention
from avelzoo_baselines.channels import GLOBAL_AUDIO, GLOBAL_VISUAL
from avelzoo_baselines.shared.context import PlainSelfAttention

if TYPE_CHECKING:
    from avelzoo_baselines.dam.configs import DamConfig


class Dam(Encoder):
    """Local vectors f_t and global vectors phi of both modalities (Wu et al. 2019, sec. 3).

    ::

        f^A_t = W2 ReLU(W1 a_t),  f^V_t = W4 ReLU(W3 AudioGuidedAttention(a_t, V_t))
        phi = mean_t SelfAttention(f)_t, for each modality over all segments
        F_t = [f^V_t * phi^A; f^A_t * phi^V]

    Channels: global_audio and global_visual (b d). No part knows the order of the segments.

    Args:
        config: the options.
        audio_dim: a.
        visual_dim: v.
        cells: h w.
    """

    def __init__(self, config: DamConfig, *, audio_dim: int, visual_dim: int, cells: int) -> None:
        super().__init__()
        d = config.width
        self.widths = Widths(fused=2 * d, audio=d, visual=d)
        self.attention = AudioGuidedAttention(
            audio_dim, visual_dim, hidden=config.attention_width, cells=cells, axis=config.attention_axis
        )
        self.audio_in = _local(audio_dim, d)
        self.visual_in = _local(visual_dim, d)
        self.audio_context = PlainSelfAttention(d)
        self.visual_context = PlainSelfAttention(d)

    def forward(self, audio: Tensor, visual: Tensor) -> Encoded:
        """(b t a), (b t h w v) -> Encoded, fused (b t 2d), the others (b t d)."""
        heard = self.audio_in(audio)
        seen = self.visual_in(self.attention(audio, visual))
        phi_a, phi_v = self.audio_context(heard).mean(dim=1), self.visual_context(seen).mean(dim=1)
        fused = torch.cat([seen * phi_a.unsqueeze(1), heard * phi_v.unsqueeze(1)], dim=-1)
        channels = {GLOBAL_AUDIO: phi_a, GLOBAL_VISUAL: phi_v}
        return Encoded(fused=fused, audio=heard, visual=seen, channels=channels)


def _local(channels: int, width: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(channels, width), nn.ReLU(), nn.Linear(width, width))
