"""CMBS's encoder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional as F

from avelzoo import Encoded, Encoder, Widths
from avelzoo.nn import Dropout
from avelzoo_baselines.cmbs.attention import GatedAttention
from avelzoo_baselines.cmbs.streams import GatedStreams

if TYPE_CHECKING:
    from avelzoo_baselines.cmbs.configs import CmbsConfig


class Cmbs(Encoder):
    """Gated attention over the image, then gated streams over time (Xia and Zhao 2022; public code marmot-xy/CMBS).

    X = Dropout(ReLU(W v + b)) in every cell, f_t = GatedAttention(X_t, a_t), Encoded = GatedStreams(a, f). The
    uni-modal outputs are K_a and K_v, the last ones before the modalities meet.

    Args:
        config: the options.
        audio_dim: a.
        visual_dim: v.
    """

    def __init__(self, config: CmbsConfig, *, audio_dim: int, visual_dim: int) -> None:
        super().__init__()
        self.widths = Widths(fused=config.width, audio=config.width, visual=config.width)
        self.visual_in = nn.Linear(visual_dim, visual_dim)
        self.input_dropout = Dropout(config.input_dropout)
        self.attention = GatedAttention(
            visual_dim,
            audio_dim,
            width=config.attention_width,
            query_width=config.query_width,
            self_weight=config.self_weight,
            dropout=config.attention_dropout,
        )
        self.streams = GatedStreams(config, audio_dim=audio_dim, visual_dim=visual_dim)

    def attend(self, audio: Tensor, visual: Tensor) -> Tensor:
        """f (b t v): attended visual features, from (b t a) and (b t h w v)."""
        cells = self.input_dropout(F.relu(self.visual_in(rearrange(visual, "b t h w v -> b t (h w) v"))))
        out: Tensor = self.attention(cells, audio)
        return out

    def forward(self, audio: Tensor, visual: Tensor) -> Encoded:
        """(b t a), (b t h w v) -> Encoded, all (b t d), with gates and gated streams."""
        out: Encoded = self.streams(audio, self.attend(audio, visual))
        return out
