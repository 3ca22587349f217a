"""CMRAN's encoder."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional as F

from avelzoo import Encoded, Encoder, Widths
from avelzoo.nn import AudioVideoInter, Dropout, RelationDecoder, RelationEncoder, SpatialChannelAttention

if TYPE_CHECKING:
    from avelzoo_baselines.cmran.configs import CmranConfig


class Cmran(Encoder):
    """Each modality asks the other, and itself, over time (Xu et al. 2020, sec. 3; public code FloretCat/CMRAN).

    With A the audio and V the visual features::

        X   = Dropout(ReLU(W v + b))                in every cell
        f_t = SpatialChannelAttention(X_t, A_t)
        K_a = RelationEncoder(A),  K_v = RelationEncoder(f)
        o_a = RelationDecoder(A; K_v),  o_v = RelationDecoder(f; K_a)
        F   = AudioVideoInter(o_v, o_a)

    The uni-modal outputs are K_a and K_v, the last ones before the modalities meet. No part knows the order of
    segments: permuting them permutes the outputs.

    Args:
        config: the options.
        audio_dim: a.
        visual_dim: v.
    """

    def __init__(self, config: CmranConfig, *, audio_dim: int, visual_dim: int) -> None:
        super().__init__()
        d = config.width
        sizes = {"width": d, "heads": config.heads, "feedforward": config.feedforward}
        encode = partial(
            RelationEncoder, **sizes, layers=config.layers, dropout=config.dropout, equal_layers=config.equal_layers
        )
        decode = partial(RelationDecoder, **sizes, dropout=config.dropout)
        self.widths = Widths(fused=d, audio=d, visual=d)
        self.visual_in = nn.Linear(visual_dim, visual_dim)
        self.input_dropout = Dropout(config.input_dropout)
        self.attention = SpatialChannelAttention(visual_dim, audio_dim, config.attention_width)
        self.audio_encoder = encode(channels=audio_dim)
        self.visual_encoder = encode(channels=visual_dim)
        self.audio_decoder = decode(channels=audio_dim)
        self.visual_decoder = decode(channels=visual_dim)
        self.fusion = AudioVideoInter(
            d, config.fusion_heads, attention_dropout=config.fusion_dropout, dropout=config.dropout
        )

    def attend(self, audio: Tensor, visual: Tensor) -> Tensor:
        """f (b t v): audio-guided visual features, from (b t a) and (b t h w v)."""
        cells = self.input_dropout(F.relu(self.visual_in(rearrange(visual, "b t h w v -> b t (h w) v"))))
        out: Tensor = self.attention(cells, audio)
        return out

    def forward(self, audio: Tensor, visual: Tensor) -> Encoded:
        """(b t a), (b t h w v) -> Encoded, all (b t d)."""
        seen = self.attend(audio, visual)
        audio_context, visual_context = self.audio_encoder(audio), self.visual_encoder(seen)
        asked_by_audio = self.audio_decoder(audio, visual_context)
        asked_by_visual = self.visual_decoder(seen, audio_context)
        fused = self.fusion(asked_by_visual, asked_by_audio)
        return Encoded(fused=fused, audio=audio_context, visual=visual_context)
