"""Blocks of the cross-modal relation family: CMRAN (Xu et al. 2020), CMBS (Xia et al. 2022), CACE-Net (2024).

Sequences are batch first; no block depends on the order of segments or cells.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from avelzoo.nn.attention import Attention
from avelzoo.nn.cpu.contraction import contracted_hidden, mean_hidden
from avelzoo.nn.cpu.dropout import Dropout
from avelzoo.nn.transformer import CrossBlock, SelfBlock


class RelationEncoder(nn.Module):
    """Temporal self-attention of one modality: x W + b, then self-attention blocks.

    Args:
        channels: input channels c.
        width: output channels d.
        heads: attention heads; must divide ``width``.
        feedforward: hidden channels of the feed-forward layers.
        layers: number of blocks.
        dropout: as in `SelfBlock`.
        equal_layers: initialise all blocks with the same weights, like clones of one layer.
    """

    def __init__(
        self,
        channels: int,
        width: int,
        heads: int,
        feedforward: int,
        *,
        layers: int = 2,
        dropout: float = 0.1,
        equal_layers: bool = False,
    ) -> None:
        super().__init__()
        self.projection = nn.Linear(channels, width)
        first = SelfBlock(width, heads, feedforward, dropout)
        self.blocks = nn.ModuleList([first])
        for _ in range(layers - 1):
            self.blocks.append(copy.deepcopy(first) if equal_layers else SelfBlock(width, heads, feedforward, dropout))

    def forward(self, x: Tensor) -> Tensor:
        """(b t c) -> (b t d)."""
        x = self.projection(x)
        for block in self.blocks:
            x = block(x)
        return x


class RelationDecoder(nn.Module):
    """Cross-modal relation-aware attention: q = x W + b attends to [memory; q], the other modality and itself.

    Keys and values are the concatenation in time of the memory, which has ``width`` channels, and the query.

    Args:
        channels: channels c of the query.
        width: channels d of memory and output.
        heads: attention heads; must divide ``width``.
        feedforward: hidden channels of the feed-forward layer.
        dropout: as in `CrossBlock`.
    """

    def __init__(self, channels: int, width: int, heads: int, feedforward: int, *, dropout: float = 0.1) -> None:
        super().__init__()
        self.projection = nn.Linear(channels, width)
        self.block = CrossBlock(width, heads, feedforward, dropout)

    def forward(self, query: Tensor, memory: Tensor) -> Tensor:
        """(b q c), (b k d) -> (b q d)."""
        projected: Tensor = self.projection(query)
        out: Tensor = self.block(projected, torch.cat([memory, projected], dim=1))
        return out


class AudioVideoInter(nn.Module):
    """Interaction of two sequences: LN(g + Dropout(Attention(g, [second; first]))) with g = first * second.

    Args:
        width: channels d.
        heads: attention heads; must divide ``width``.
        attention_dropout: dropout on the attention weights.
        dropout: dropout on the branch.
    """

    def __init__(self, width: int, heads: int, *, attention_dropout: float = 0.1, dropout: float = 0.1) -> None:
        super().__init__()
        self.attention = Attention(width, heads, attention_dropout)
        self.norm = nn.LayerNorm(width)
        self.dropout = Dropout(dropout)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """(b t d), (b t d) -> (b t d)."""
        joint = first * second
        memory = torch.cat([second, first], dim=1)
        out: Tensor = self.norm(joint + self.dropout(self.attention(joint, memory)))
        return out


class ChannelGate(nn.Module):
    """Channel gate guided by audio: sigmoid(W2 ReLU(W1 c)), c = mean_l ReLU(W_a a) * ReLU(W_v X_l).

    Args:
        channels: channels v of the cells and of the gate.
        guide: channels g of the guide.
        width: channels of the bottleneck.
    """

    def __init__(self, channels: int, guide: int, width: int) -> None:
        super().__init__()
        self.cells = nn.Linear(channels, channels)
        self.guide = nn.Linear(guide, channels)
        self.bottleneck = nn.Linear(channels, width)
        self.gate = nn.Linear(width, channels)

    def forward(self, cells: Tensor, guide: Tensor) -> Tensor:
        """(... l v), (... g) -> (... v) in (0, 1)."""
        # The guide is equal for all cells, so the mean over cells is taken before the product.
        context = F.relu(self.guide(guide)) * mean_hidden(cells, self.cells)
        out: Tensor = self.gate(F.relu(self.bottleneck(context))).sigmoid()
        return out


class GuidedPooling(nn.Module):
    """Guided pooling of cells: sum_l alpha_l X_l, alpha = softmax_l tanh(w . (ReLU(W_x X_l) * ReLU(W_g g)) + b).

    Args:
        channels: channels v of the cells.
        guide: channels g of the guide.
        width: channels of the projections W_x and W_g.
    """

    def __init__(self, channels: int, guide: int, width: int) -> None:
        super().__init__()
        self.cells = nn.Linear(channels, width)
        self.guide = nn.Linear(guide, width)
        self.score = nn.Linear(width, 1)

    def forward(self, cells: Tensor, guide: Tensor) -> Tensor:
        """(... l v), (... g) -> (... v)."""
        # w . (H_l * q) = H_l . (w * q): the guide enters the score's weights instead of every cell.
        asked = F.relu(self.guide(guide)).unsqueeze(-2) * self.score.weight
        scores = contracted_hidden(cells, self.cells, asked) + self.score.bias
        weights = scores.tanh().softmax(dim=-2)
        return (weights.transpose(-2, -1) @ cells).squeeze(-2)


class SpatialChannelAttention(nn.Module):
    """Audio-guided spatial-channel attention: channel gate X' = X * (1 + kappa), then `GuidedPooling` of X'.

    Args:
        visual_dim: v.
        audio_dim: a.
        width: channels of the gate's bottleneck and of the pooling's projections.
    """

    def __init__(self, visual_dim: int, audio_dim: int, width: int) -> None:
        super().__init__()
        self.channel = ChannelGate(visual_dim, audio_dim, width)
        self.spatial = GuidedPooling(visual_dim, audio_dim, width)

    def forward(self, cells: Tensor, audio: Tensor, context: Tensor | None = None) -> Tensor:
        """(... l v), (... a) -> (... v).

        Args:
            cells: (... l v), the cells to gate and pool.
            audio: (... a), the guide.
            context: (... l v), cells from which the channel gate is computed; None for ``cells``.
        """
        gate = self.channel(cells if context is None else context, audio)
        out: Tensor = self.spatial(cells * (1 + gate).unsqueeze(-2), audio)
        return out
