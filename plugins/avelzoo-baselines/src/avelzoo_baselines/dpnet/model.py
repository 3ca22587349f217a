"""DPNet's encoder, reconstructed from its abstract."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from avelzoo import Encoded, Encoder, Widths
from avelzoo.nn import Attention, AudioGuidedAttention, Dropout, FeedForward
from avelzoo_baselines.shared.positions import LearnedPositions

if TYPE_CHECKING:
    from avelzoo_baselines.dpnet.configs import DPNetConfig


class DPNet(Encoder):
    """2 t nodes, one per segment and modality, refined by graph layers and temporal convolutions in turns.

    F_t = ReLU(W [v_t; a_t] + b); the uni-modal outputs are the final nodes (Rao et al. 2022; layers of this library's
    choosing).

    Args:
        config: the options.
        audio_dim: a.
        visual_dim: v.
        cells: h w.
    """

    def __init__(self, config: DPNetConfig, *, audio_dim: int, visual_dim: int, cells: int) -> None:
        super().__init__()
        d = config.width
        self.widths = Widths(fused=d, audio=d, visual=d)
        self.reach, self.cross_reach = config.reach, config.cross_reach
        self.attention = AudioGuidedAttention(
            audio_dim, visual_dim, hidden=config.attention_width, cells=cells, axis=config.attention_axis
        )
        self.audio_in = nn.Linear(audio_dim, d)
        self.visual_in = nn.Linear(visual_dim, d)
        self.positions = LearnedPositions(d, config.positions)
        self.modality = nn.Parameter(0.02 * torch.randn(2, d))
        sizes = (d, config.heads, config.feedforward, config.dropout)
        self.graphs = nn.ModuleList(RelationalLayer(*sizes) for _ in range(config.rounds))
        self.convolutions = nn.ModuleList(
            TemporalConvolutions(d, config.dilations, config.convolution_dropout) for _ in range(2 * config.rounds)
        )
        self.fusion = nn.Linear(2 * d, d)

    def forward(self, audio: Tensor, visual: Tensor) -> Encoded:
        """(b t a), (b t h w v) -> Encoded, all (b t d)."""
        t = audio.shape[1]
        positions = self.positions(t)
        seen = self.visual_in(self.attention(audio, visual)) + positions + self.modality[0]
        heard = self.audio_in(audio) + positions + self.modality[1]
        within, across = relations(t, self.reach, self.cross_reach, audio.device)
        for turn, graph in enumerate(self.graphs):
            nodes = graph(torch.cat([seen, heard], dim=1), (within, across))
            seen = self.convolutions[2 * turn](nodes[:, :t])
            heard = self.convolutions[2 * turn + 1](nodes[:, t:])
        fused = F.relu(self.fusion(torch.cat([seen, heard], dim=-1)))
        return Encoded(fused=fused, audio=heard, visual=seen)


def relations(t: int, reach: int, cross_reach: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Who is whose neighbour among 2 t nodes, visual first: (2t 2t) bool within a modality, and across modalities."""
    at = torch.arange(2 * t, device=device)
    apart = (at.unsqueeze(0) % t - at.unsqueeze(1) % t).abs()
    same = (at.unsqueeze(0) < t) == (at.unsqueeze(1) < t)
    return same & (apart <= reach), ~same & (apart <= cross_reach)


class RelationalLayer(nn.Module):
    """Attention over the neighbours of each relation, then over the relations.

    m_i^r = Attention_r(x_i; neighbours under r), m_i = sum_r softmax_r(W_q x_i . W_k m_i^r / sqrt(d)) m_i^r,
    x <- LN(x + m), x <- LN(x + FeedForward(x)). Every node has a neighbour under each relation.

    Args:
        width: d.
        heads: attention heads.
        feedforward: hidden channels.
        dropout: on attention weights and both branches.
    """

    def __init__(self, width: int, heads: int, feedforward: int, dropout: float) -> None:
        super().__init__()
        self.by_relation = nn.ModuleList(Attention(width, heads, dropout) for _ in range(2))
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.feedforward = FeedForward(width, feedforward, dropout)
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)
        self.dropout = Dropout(dropout)

    def forward(self, nodes: Tensor, masks: tuple[Tensor, Tensor]) -> Tensor:
        """(b 2t d), twice (2t 2t) -> (b 2t d)."""
        pairs = zip(self.by_relation, masks, strict=True)
        messages = torch.stack([attention(nodes, mask=mask) for attention, mask in pairs], dim=2)
        scores = (self.query(nodes).unsqueeze(2) * self.key(messages)).sum(dim=-1, keepdim=True)
        weights = (scores / nodes.shape[-1] ** 0.5).softmax(dim=2)
        nodes = self.norm1(nodes + self.dropout((weights * messages).sum(dim=2)))
        out: Tensor = self.norm2(nodes + self.dropout(self.feedforward(nodes)))
        return out


class TemporalConvolutions(nn.Module):
    """x <- x + Dropout(ReLU(Conv3_dilated(x))) for every dilation.

    Args:
        width: d.
        dilations: in segments.
        dropout: on each branch.
    """

    def __init__(self, width: int, dilations: tuple[int, ...], dropout: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Conv1d(width, width, 3, padding=k, dilation=k) for k in dilations)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(b t d) -> (b t d)."""
        channels = x.transpose(1, 2)
        for layer in self.layers:
            channels = channels + self.dropout(F.relu(layer(channels)))
        return channels.transpose(1, 2)
