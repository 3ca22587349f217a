"""AVE-CLIP's fusion, reconstructed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional as F

from avelzoo import Encoded, Encoder, Widths
from avelzoo.nn import Attention, AudioGuidedAttention, Dropout, FeedForward
from avelzoo_baselines.channels import EVENT_GATE

if TYPE_CHECKING:
    from avelzoo_baselines.ave_clip.configs import AveClipConfig


class AveClip(Encoder):
    """Multi-window fusion and event-guided refinement (Mahmud and Marculescu 2023; layers of this library's choosing).

    ::

        v_t = W_v AudioGuidedAttention(a_t, V_t), a_t = W_a a_t
        (V, A) = W [Window_2; Window_5; Window_10](v, a)           per modality
        f = V + A,  g_t = w f_t + b                                the event gate
        F = LN(f + softmax(Q K^T / sqrt(d) + log sigmoid(g)) Val)   keys weighted by the gate

    The gate's logits are the channel event_gate (b t).

    Args:
        config: the options.
        audio_dim: a.
        visual_dim: v.
        cells: h w.
    """

    def __init__(self, config: AveClipConfig, *, audio_dim: int, visual_dim: int, cells: int) -> None:
        super().__init__()
        d = config.width
        self.widths = Widths(fused=d, audio=d, visual=d)
        self.attention = AudioGuidedAttention(
            audio_dim, visual_dim, hidden=config.attention_width, cells=cells, axis=config.attention_axis
        )
        self.audio_in = nn.Linear(audio_dim, d)
        self.visual_in = nn.Linear(visual_dim, d)
        self.windows = nn.ModuleList(
            WindowFusion(length, d, config.heads, config.feedforward, config.dropout) for length in config.windows
        )
        self.audio_out = nn.Linear(len(config.windows) * d, d)
        self.visual_out = nn.Linear(len(config.windows) * d, d)
        self.gate = nn.Linear(d, 1)
        self.query, self.key, self.value = (nn.Linear(d, d) for _ in range(3))
        self.norm = nn.LayerNorm(d)

    def forward(self, audio: Tensor, visual: Tensor) -> Encoded:
        """(b t a), (b t h w v) -> Encoded, all (b t d)."""
        heard, seen = self.audio_in(audio), self.visual_in(self.attention(audio, visual))
        scales = [window(heard, seen) for window in self.windows]
        heard = self.audio_out(torch.cat([scale[0] for scale in scales], dim=-1))
        seen = self.visual_out(torch.cat([scale[1] for scale in scales], dim=-1))
        joint = heard + seen
        gate = self.gate(joint).squeeze(-1)
        scores = self.query(joint) @ self.key(joint).transpose(1, 2) / math.sqrt(joint.shape[-1])
        weights = (scores + F.logsigmoid(gate).unsqueeze(1)).softmax(dim=-1)
        fused = self.norm(joint + weights @ self.value(joint))
        return Encoded(fused=fused, audio=heard, visual=seen, channels={EVENT_GATE: gate})


class WindowFusion(nn.Module):
    """Both modalities within windows of one length: attention over the window's 2 tau tokens, and a gate on channels.

    x <- LN(x + Attention(x) + x sigmoid(W mean(x))), then LN(x + FeedForward(x)). A last window may
    be shorter.

    Args:
        length: tau, in segments.
        width: d.
        heads: attention heads.
        feedforward: hidden channels.
        dropout: on both branches and the attention weights.
    """

    def __init__(self, length: int, width: int, heads: int, feedforward: int, dropout: float) -> None:
        super().__init__()
        self.length = length
        self.attention = Attention(width, heads, dropout)
        self.channels = nn.Linear(width, width)
        self.feedforward = FeedForward(width, feedforward, dropout)
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)
        self.dropout = Dropout(dropout)

    def forward(self, heard: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
        """(b t d), (b t d) -> the same, mixed within windows."""
        t = heard.shape[1]
        parts = [self._mix(heard[:, i : i + self.length], seen[:, i : i + self.length]) for i in self._starts(t)]
        return torch.cat([part[0] for part in parts], dim=1), torch.cat([part[1] for part in parts], dim=1)

    def _starts(self, t: int) -> range:
        return range(0, t, self.length)

    def _mix(self, heard: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
        x = torch.cat([heard, seen], dim=1)
        by_channel = x * self.channels(x.mean(dim=1, keepdim=True)).sigmoid()
        x = self.norm1(x + self.dropout(self.attention(x)) + by_channel)
        x = self.norm2(x + self.dropout(self.feedforward(x)))
        first, second = rearrange(x, "b (m t) d -> m b t d", m=2)
        return first, second
