"""CACE-Net's encoder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional as F

from avelzoo import Encoded, Encoder, Widths
from avelzoo.nn import Dropout
from avelzoo_baselines.cmbs.attention import GatedAttention, PlainAttention
from avelzoo_baselines.cmbs.streams import GatedStreams

if TYPE_CHECKING:
    from avelzoo_baselines.cace_net.configs import CaceNetConfig


class VisualGuidance(nn.Module):
    """Audio weighted by the image: a * (1 + psi sigmoid(G)).

    A = LN(a + Dropout(PlainAttention(a, a))) over t, G = PlainAttention(scene, A) over t. (Public code
    Brain-Cog-Lab/CACE-Net, Co-Guide.)

    Args:
        visual_dim: v, channels of the scene.
        audio_dim: a.
        width: channels of queries and keys.
        weight: psi.
        dropout: on the self-attention.
    """

    def __init__(self, visual_dim: int, audio_dim: int, *, width: int, weight: float, dropout: float) -> None:
        super().__init__()
        self.weight = weight
        self.self_attention = PlainAttention(audio_dim, audio_dim, width, audio_dim)
        self.norm = nn.LayerNorm(audio_dim)
        self.dropout = Dropout(dropout)
        self.guide = PlainAttention(visual_dim, audio_dim, width, audio_dim)

    def forward(self, audio: Tensor, scene: Tensor) -> Tensor:
        """(b t a), (b t v) -> (b t a)."""
        context = self.norm(audio + self.dropout(self.self_attention(audio, audio)))
        guided: Tensor = self.guide(scene, context)
        return audio * (1 + self.weight * guided.sigmoid())


class CaceNet(Encoder):
    """Gated attention that audio and image guide, then CMBS's gated streams (He et al. 2024).

    With X the projected cells, Z2 a second self-attention over them with a norm of its first one::

        f  = GatedAttention(X, a)                    audio guides the image
        a' = VisualGuidance(a, mean_l Z2)            the image guides the audio; guidance co only
        Encoded = GatedStreams(a', f)

    Args:
        config: the options.
        audio_dim: a.
        visual_dim: v.
    """

    def __init__(self, config: CaceNetConfig, *, audio_dim: int, visual_dim: int) -> None:
        super().__init__()
        self.widths = Widths(fused=config.width, audio=config.width, visual=config.width)
        self.visual_in = nn.Linear(visual_dim, visual_dim)
        self.input_dropout = Dropout(config.input_dropout)
        self.attention: GatedAttention | None = None
        self.second_attention: PlainAttention | None = None
        self.guidance: VisualGuidance | None = None
        if config.guidance != "none":
            self.attention = GatedAttention(
                visual_dim,
                audio_dim,
                width=config.attention_width,
                query_width=config.query_width,
                self_weight=config.self_weight,
                dropout=config.attention_dropout,
            )
        if config.guidance == "co":
            self.second_attention = PlainAttention(visual_dim, visual_dim, config.query_width, visual_dim)
            self.guidance = VisualGuidance(
                visual_dim,
                audio_dim,
                width=config.query_width,
                weight=config.audio_weight,
                dropout=config.attention_dropout,
            )
        self.streams = GatedStreams(config, audio_dim=audio_dim, visual_dim=visual_dim)

    def attend(self, audio: Tensor, visual: Tensor) -> tuple[Tensor, Tensor]:
        """Guided audio (b t a) and attended image (b t v), from (b t a) and (b t h w v)."""
        cells = self.input_dropout(F.relu(self.visual_in(rearrange(visual, "b t h w v -> b t (h w) v"))))
        if self.attention is None:
            return audio, cells.mean(dim=2)
        seen: Tensor = self.attention(cells, audio)
        if self.second_attention is not None and self.guidance is not None:
            scene = self.attention.contextual(cells, self.second_attention).mean(dim=2)
            audio = self.guidance(audio, scene)
        return audio, seen

    def forward(self, audio: Tensor, visual: Tensor) -> Encoded:
        """(b t a), (b t h w v) -> Encoded, all (b t d), with gates and gated streams."""
        out: Encoded = self.streams(*self.attend(audio, visual))
        return out
