"""MPN's encoder, reconstructed from its abstract."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from avelzoo import Encoded, Encoder, Widths
from avelzoo.nn import AudioGuidedAttention
from avelzoo_baselines.channels import CLASSIFICATION_PATH, LOCALIZATION_PATH
from avelzoo_baselines.mm_pyramid.pyramid import PyramidLayer

if TYPE_CHECKING:
    from avelzoo_baselines.mpn.configs import MpnConfig


class Mpn(Encoder):
    """Global co-attention and local gating, side by side (Yu et al. 2021; layers of this library's choosing).

    ::

        v_t = W_v AudioGuidedAttention(a_t, V_t),  a_t = W_a a_t
        classification:  v, a <- CoAttention(v, a), some times;  x = pool_t [v_t; a_t]
        localization:    f_t = ReLU(W Bottleneck(v_t, a_t)), each segment by itself
        F_t = [f_t; v_t; a_t]

    Channels: localization_path f (b t d) and classification_path x (b 2d), which
    the head `parallel` reads in place of F.

    Args:
        config: the options.
        audio_dim: a.
        visual_dim: v.
        cells: h w.
    """

    def __init__(self, config: MpnConfig, *, audio_dim: int, visual_dim: int, cells: int) -> None:
        super().__init__()
        d = config.width
        self.widths = Widths(fused=3 * d, audio=d, visual=d)
        self.by_maximum = config.pooling == "max"
        self.attention = AudioGuidedAttention(
            audio_dim, visual_dim, hidden=config.attention_width, cells=cells, axis=config.attention_axis
        )
        self.audio_in = nn.Linear(audio_dim, d)
        self.visual_in = nn.Linear(visual_dim, d)
        self.co_attention = nn.ModuleList(
            CoAttention(
                PyramidLayer(
                    d,
                    config.heads,
                    config.feedforward,
                    dropout=config.dropout,
                    attention_dropout=config.attention_dropout,
                )
            )
            for _ in range(config.layers)
        )
        self.bottleneck = Bottleneck(d, max(1, 2 * d // config.reduction))
        self.local = nn.Linear(2 * d, d)

    def forward(self, audio: Tensor, visual: Tensor) -> Encoded:
        """(b t a), (b t h w v) -> Encoded, fused (b t 3d), the others (b t d)."""
        heard, seen = self.audio_in(audio), self.visual_in(self.attention(audio, visual))
        local = F.relu(self.local(self.bottleneck(seen, heard)))
        for module in self.co_attention:
            seen, heard = module(seen, heard)
        both = torch.cat([seen, heard], dim=-1)
        video = both.amax(dim=1) if self.by_maximum else both.mean(dim=1)
        fused = torch.cat([local, both], dim=-1)
        channels = {LOCALIZATION_PATH: local, CLASSIFICATION_PATH: video}
        return Encoded(fused=fused, audio=heard, visual=seen, channels=channels)


class CoAttention(nn.Module):
    """v' = L(v, v), a' = L(a, a); then L(v', a'), L(a', v'), with one layer L for all four.

    Args:
        layer: L(query, memory).
    """

    def __init__(self, layer: PyramidLayer) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, seen: Tensor, heard: Tensor) -> tuple[Tensor, Tensor]:
        """(b t d), (b t d) -> the same."""
        seen, heard = self.layer(seen, seen), self.layer(heard, heard)
        return self.layer(seen, heard), self.layer(heard, seen)


class Bottleneck(nn.Module):
    """z = ReLU(LN(W [v; a])); [v (1 + sigmoid(W_v z)); a (1 + sigmoid(W_a z))], for each segment.

    Args:
        width: channels d of either modality.
        hidden: channels of the bottleneck.
    """

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.reduce = nn.Linear(2 * width, hidden)
        self.norm = nn.LayerNorm(hidden)
        self.visual_gate = nn.Linear(hidden, width)
        self.audio_gate = nn.Linear(hidden, width)

    def forward(self, seen: Tensor, heard: Tensor) -> Tensor:
        """(b t d), (b t d) -> (b t 2d)."""
        z = F.relu(self.norm(self.reduce(torch.cat([seen, heard], dim=-1))))
        seen = seen * (1 + self.visual_gate(z).sigmoid())
        heard = heard * (1 + self.audio_gate(z).sigmoid())
        return torch.cat([seen, heard], dim=-1)
