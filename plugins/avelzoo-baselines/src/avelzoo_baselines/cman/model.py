"""CMAN's encoder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional as F

from avelzoo import Encoded, Encoder, Widths
from avelzoo_baselines.channels import SENTINEL_WEIGHTS
from avelzoo_baselines.cman.sentinel import CoAttention, SentinelLSTM
from avelzoo_baselines.shared.context import PlainSelfAttention

if TYPE_CHECKING:
    from avelzoo_baselines.cman.configs import CmanConfig


class Cman(Encoder):
    """F_t = [h^v_t + x^v_t; h^a_t + x^a_t] (Xuan et al. 2020).

    ::

        where   v_t = CosineAttention(a_t, V_t)
        when    V' = v + SelfAttention(v),  A' = a + SelfAttention(a)
        which   h^v, s^v = SentinelLSTM(V'),  x^v = CoAttention(h^v, s^v; A'),  and the other way round

    The channel sentinel_weights (b t 2) is the weight beta of the own modality's sentinel, audio first. The uni-modal
    outputs are the two halves of F.

    Args:
        config: the options.
        audio_dim: a.
        visual_dim: v.
    """

    def __init__(self, config: CmanConfig, *, audio_dim: int, visual_dim: int) -> None:
        super().__init__()
        d, adaptive = config.hidden, config.sentinel == "adaptive"
        self.widths = Widths(fused=2 * d, audio=d, visual=d)
        self.where = CosineAttention(audio_dim, visual_dim, config.attention_width, config.scale)
        self.audio_when = PlainSelfAttention(audio_dim)
        self.visual_when = PlainSelfAttention(visual_dim)
        self.audio_lstm = SentinelLSTM(audio_dim, d, sentinel=adaptive)
        self.visual_lstm = SentinelLSTM(visual_dim, d, sentinel=adaptive)
        self.audio_which = CoAttention(d, visual_dim, sentinel=adaptive)
        self.visual_which = CoAttention(d, audio_dim, sentinel=adaptive)

    def forward(self, audio: Tensor, visual: Tensor) -> Encoded:
        """(b t a), (b t h w v) -> Encoded, fused (b t 2d), the others (b t d)."""
        seen = self.where(audio, visual)
        seen, heard = seen + self.visual_when(seen), audio + self.audio_when(audio)
        visual_hidden, visual_sentinel = self.visual_lstm(seen)
        audio_hidden, audio_sentinel = self.audio_lstm(heard)
        from_audio, visual_beta = self.visual_which(visual_hidden, visual_sentinel, heard)
        from_visual, audio_beta = self.audio_which(audio_hidden, audio_sentinel, seen)
        visual_out, audio_out = visual_hidden + from_audio, audio_hidden + from_visual
        channels = {}
        if audio_beta is not None and visual_beta is not None:
            channels[SENTINEL_WEIGHTS] = torch.stack([audio_beta, visual_beta], dim=-1)
        fused = torch.cat([visual_out, audio_out], dim=-1)
        return Encoded(fused=fused, audio=audio_out, visual=visual_out, channels=channels)


class CosineAttention(nn.Module):
    """sum_l alpha_l X_l with alpha = softmax_l(scale cos(W_v X_l, W_a a)); raw cells are summed.

    Args:
        audio_dim: channels a.
        visual_dim: channels v.
        width: channels in which they are compared.
        scale: what the learned scale begins with.
    """

    def __init__(self, audio_dim: int, visual_dim: int, width: int, scale: float) -> None:
        super().__init__()
        self.audio = nn.Linear(audio_dim, width, bias=False)
        self.visual = nn.Linear(visual_dim, width, bias=False)
        self.scale = nn.Parameter(torch.tensor(float(scale)))

    def forward(self, audio: Tensor, visual: Tensor) -> Tensor:
        """(b t a), (b t h w v) -> (b t v)."""
        cells = rearrange(visual, "b t h w v -> b t (h w) v")
        asked = F.normalize(self.audio(audio), dim=-1)
        cosine = torch.einsum("btlp,btp->btl", F.normalize(self.visual(cells), dim=-1), asked)
        return torch.einsum("btl,btlv->btv", (self.scale * cosine).softmax(dim=-1), cells)
