"""AVT's encoder, reconstructed from its idea."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional as F

from avelzoo import Encoded, Encoder, Widths
from avelzoo.nn import Attention, CrossBlock, Dropout, FeedForward, SelfBlock
from avelzoo_baselines.shared.positions import LearnedPositions

if TYPE_CHECKING:
    from avelzoo_baselines.avt.configs import AVTConfig


class AVT(Encoder):
    """Three streams and their co-attention (Lin and Wang 2020; layers of this library's choosing).

    ::

        R_t = SelfBlock(W_v V_t)                         over the cells of a frame
        I   = WindowBlock(mean_cells R + P)              over frames
        A'  = SelfBlock(W_a a + P)                       over t
        o_t = sum_j softmax_j(w tanh(W_r R_tj + W_i I_t + W_A A'_t)) R_tj
        a*  = CrossBlock(A', [o; I]),  v* = CrossBlock(o, A')
        F_t = ReLU(W [a*_t; v*_t] + b)

    The uni-modal outputs are A' and o.

    Args:
        config: the options.
        audio_dim: a.
        visual_dim: v.
    """

    def __init__(self, config: AVTConfig, *, audio_dim: int, visual_dim: int) -> None:
        super().__init__()
        d = config.width
        sizes = (d, config.heads, config.feedforward, config.dropout)
        self.widths = Widths(fused=d, audio=d, visual=d)
        self.audio_in = nn.Linear(audio_dim, d)
        self.visual_in = nn.Linear(visual_dim, d)
        self.positions = LearnedPositions(d, config.positions)
        self.cells = SelfBlock(*sizes)
        self.frames = WindowBlock(*sizes, reach=config.frame_reach) if config.inter_frame else None
        self.audio = SelfBlock(*sizes)
        self.instance = InstanceAttention(d, frames=config.inter_frame) if config.instance_attention else None
        self.ask_visual = CrossBlock(*sizes)
        self.ask_audio = CrossBlock(*sizes)
        self.fusion = nn.Linear(2 * d, d)

    def forward(self, audio: Tensor, visual: Tensor) -> Encoded:
        """(b t a), (b t h w v) -> Encoded, all (b t d)."""
        b, t = audio.shape[:2]
        positions = self.positions(t)
        cells = self.cells(self.visual_in(rearrange(visual, "b t h w v -> (b t) (h w) v")))
        cells = rearrange(cells, "(b t) s d -> b t s d", b=b)
        frames = self.frames(cells.mean(dim=2) + positions) if self.frames is not None else None
        heard = self.audio(self.audio_in(audio) + positions)
        seen = self.instance(cells, frames, heard) if self.instance is not None else cells.mean(dim=2)
        memory = seen if frames is None else torch.cat([seen, frames], dim=1)
        asked = torch.cat([self.ask_visual(heard, memory), self.ask_audio(seen, heard)], dim=-1)
        return Encoded(fused=F.relu(self.fusion(asked)), audio=heard, visual=seen)


class InstanceAttention(nn.Module):
    """o_t = sum_j softmax_j(w tanh(W_r R_tj + W_i I_t + W_A A_t)) R_tj.

    Args:
        width: d.
        frames: whether there is an inter-frame stream I.
    """

    def __init__(self, width: int, *, frames: bool) -> None:
        super().__init__()
        self.cell = nn.Linear(width, width)
        self.frame = nn.Linear(width, width, bias=False) if frames else None
        self.audio = nn.Linear(width, width, bias=False)
        self.score = nn.Linear(width, 1, bias=False)

    def forward(self, cells: Tensor, frames: Tensor | None, heard: Tensor) -> Tensor:
        """(b t s d), (b t d) or None, (b t d) -> (b t d)."""
        query = self.audio(heard)
        if self.frame is not None and frames is not None:
            query = query + self.frame(frames)
        weights = self.score(torch.tanh(self.cell(cells) + query.unsqueeze(2))).softmax(dim=2)
        pooled: Tensor = (weights * cells).sum(dim=2)
        return pooled


class WindowBlock(nn.Module):
    """A transformer encoder block whose attention sees segments at most ``reach`` away.

    Args:
        width: d.
        heads: attention heads.
        feedforward: hidden channels.
        dropout: as in `avelzoo.nn.SelfBlock`.
        reach: segments to each side; None for all.
    """

    def __init__(self, width: int, heads: int, feedforward: int, dropout: float, *, reach: int | None) -> None:
        super().__init__()
        self.reach = reach
        self.attention = Attention(width, heads, dropout)
        self.feedforward = FeedForward(width, feedforward, dropout)
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(b t d) -> (b t d)."""
        mask = None
        if self.reach is not None:
            at = torch.arange(x.shape[1], device=x.device)
            mask = (at.unsqueeze(0) - at.unsqueeze(1)).abs() <= self.reach
        x = self.norm1(x + self.dropout(self.attention(x, mask=mask)))
        out: Tensor = self.norm2(x + self.dropout(self.feedforward(x)))
        return out
