"""The pyramid of MM-Pyramid: attentive feature pyramid and adaptive semantic fusion."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional as F

from avelzoo.nn import Attention, Dropout, FeedForward


class PyramidLayer(nn.Module):
    """x <- q + Dropout(Attention(LN(q), m)), then x + Dropout(FeedForward(LN(x))): the memory m is not normalised.

    Args:
        width: channels d.
        heads: attention heads; they divide ``width``.
        feedforward: hidden channels.
        dropout: on both branches and inside the feed-forward layer.
        attention_dropout: on the attention weights.
    """

    def __init__(self, width: int, heads: int, feedforward: int, *, dropout: float, attention_dropout: float) -> None:
        super().__init__()
        self.attention = Attention(width, heads, attention_dropout)
        self.feedforward = FeedForward(width, feedforward, dropout)
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)
        self.dropout = Dropout(dropout)

    def forward(self, query: Tensor, memory: Tensor, mask: Tensor | None = None) -> Tensor:
        """(b q d), (b k d), maybe (q k) bool -> (b q d)."""
        x = query + self.dropout(self.attention(self.norm1(query), memory, mask))
        out: Tensor = x + self.dropout(self.feedforward(self.norm2(x)))
        return out

    def equalize(self) -> PyramidLayer:
        """Start queries, keys, values and output from the same weights, as clones of one linear layer do."""
        linear = nn.Linear(self.attention.out_proj.in_features, self.attention.out_proj.out_features)
        with torch.no_grad():
            self.attention.in_proj_weight.copy_(linear.weight.repeat(3, 1))
            self.attention.in_proj_bias.copy_(linear.bias.repeat(3))
            self.attention.out_proj.weight.copy_(linear.weight)
            self.attention.out_proj.bias.copy_(linear.bias)
        return self


class Merge(nn.Module):
    """sigmoid(W1 [s; c]) * s + sigmoid(W2 [s; c]) * c: two independent gates on self and cross attention.

    Args:
        width: channels d.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.own = nn.Linear(2 * width, width)
        self.cross = nn.Linear(2 * width, width)

    def forward(self, own: Tensor, cross: Tensor) -> Tensor:
        """(b t d), (b t d) -> (b t d)."""
        both = torch.cat([own, cross], dim=-1)
        own_gate: Tensor = self.own(both).sigmoid()
        cross_gate: Tensor = self.cross(both).sigmoid()
        return own_gate * own + cross_gate * cross


class DilatedBlock(nn.Module):
    """ReLU(Conv1(ReLU(Conv3(x))) + x) over time, the three taps ``dilation`` segments apart.

    Args:
        width: channels d.
        dilation: in segments.
    """

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(width, width, 3, dilation=dilation, padding=dilation)
        self.conv2 = nn.Conv1d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(b t d) -> (b t d)."""
        mixed = self.conv2(F.relu(self.conv1(rearrange(x, "b t d -> b d t"))))
        return F.relu(rearrange(mixed, "b d t -> b t d") + x)


class Unit(nn.Module):
    """One level: attention within ``reach`` segments in and across the modalities, merged, then a dilated convolution.

    Both directions of the cross-modal attention share one layer, and both kinds of attention read the unit's input.

    Args:
        width: channels d.
        reach: how far an attention looks, and the convolution's dilation, in segments.
        layer: makes an attention layer.
    """

    def __init__(self, width: int, reach: int, layer: Callable[[], PyramidLayer]) -> None:
        super().__init__()
        self.reach = reach
        self.visual_self, self.audio_self, self.cross = layer(), layer(), layer()
        self.visual_merge, self.audio_merge = Merge(width), Merge(width)
        self.visual_block, self.audio_block = DilatedBlock(width, reach), DilatedBlock(width, reach)

    def forward(self, visual: Tensor, audio: Tensor) -> tuple[Tensor, Tensor]:
        """(b t d), (b t d) -> the same."""
        near = within(visual.shape[1], self.reach, visual.device)
        seen = self.visual_merge(self.visual_self(visual, visual, near), self.cross(visual, audio, near))
        heard = self.audio_merge(self.audio_self(audio, audio, near), self.cross(audio, visual, near))
        return self.visual_block(seen), self.audio_block(heard)


class LevelFusion(nn.Module):
    """A segment's levels look at each other; then sum_i sigmoid(w . x_i + b) x_i, weights not normalised.

    Args:
        width: channels d.
        layer: the attention layer over the levels.
    """

    def __init__(self, width: int, layer: PyramidLayer) -> None:
        super().__init__()
        self.layer = layer
        self.weight = nn.Linear(width, 1)

    def forward(self, levels: list[Tensor]) -> Tensor:
        """k times (b t d) -> (b t d)."""
        b = levels[0].shape[0]
        stacked = rearrange(torch.stack(levels, dim=2), "b t k d -> (b t) k d")
        x: Tensor = self.layer(stacked, stacked)
        weights: Tensor = self.weight(x).sigmoid()
        return rearrange((weights * x).sum(dim=1), "(b t) d -> b t d", b=b)


class Pyramid(nn.Module):
    """Units whose reach doubles from level to level, and the fusion of their outputs (Yu et al. 2022).

    Public code JustinYuu/MM_Pyramid, nets/MPAM.py. Level i = 0, 1, ... sees 2^i segments to both sides.

    Args:
        width: channels d.
        heads: attention heads; they divide ``width``.
        feedforward: hidden channels of the feed-forward layers.
        levels: number of units.
        dropout: on all branches.
        attention_dropout: on the attention weights.
        equal_layers: all attention layers start from the same weights (public code).
    """

    def __init__(
        self,
        width: int,
        heads: int,
        feedforward: int,
        *,
        levels: int,
        dropout: float,
        attention_dropout: float,
        equal_layers: bool = False,
    ) -> None:
        super().__init__()

        def new() -> PyramidLayer:
            return PyramidLayer(width, heads, feedforward, dropout=dropout, attention_dropout=attention_dropout)

        def maker() -> Callable[[], PyramidLayer]:
            template = new().equalize() if equal_layers else None
            return (lambda: copy.deepcopy(template)) if template is not None else new

        in_unit, over_levels = maker(), maker()
        self.units = nn.ModuleList(Unit(width, 2**i, in_unit) for i in range(levels))
        self.visual_fusion = LevelFusion(width, over_levels())
        self.audio_fusion = LevelFusion(width, over_levels())

    def forward(self, visual: Tensor, audio: Tensor) -> tuple[Tensor, Tensor]:
        """(b t d), (b t d) -> the same."""
        levels = []
        for unit in self.units:
            visual, audio = unit(visual, audio)
            levels.append((visual, audio))
        return self.visual_fusion([v for v, _ in levels]), self.audio_fusion([a for _, a in levels])


def within(t: int, reach: int, device: torch.device) -> Tensor:
    """(t t) bool: |i - j| <= reach."""
    rows = torch.arange(t, device=device)
    return (rows.unsqueeze(0) - rows.unsqueeze(1)).abs() <= reach
