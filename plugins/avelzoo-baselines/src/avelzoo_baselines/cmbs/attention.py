"""The cross-modal gated attention of CMBS."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from avelzoo.nn import Dropout, GuidedPooling, SpatialChannelAttention


class PlainAttention(nn.Module):
    """softmax(Q K^T) V with one head, not scaled by the width and without an output layer.

    Args:
        query_channels: channels of the queries.
        memory_channels: channels of the memory.
        width: channels in which queries and keys are compared.
        out: channels of the values.
    """

    def __init__(self, query_channels: int, memory_channels: int, width: int, out: int) -> None:
        super().__init__()
        self.query = nn.Linear(query_channels, width)
        self.key = nn.Linear(memory_channels, width)
        self.value = nn.Linear(memory_channels, out)

    def forward(self, query: Tensor, memory: Tensor) -> Tensor:
        """(... q c), (... k m) -> (... q out)."""
        return F.scaled_dot_product_attention(self.query(query), self.key(memory), self.value(memory), scale=1.0)


class GatedAttention(nn.Module):
    """Where to look, from the whole image and from the audio (Xia and Zhao 2022, cross-modal gated attention).

    With X the cells of a segment and a its audio::

        Z = LN(X + Dropout(PlainAttention(X, X)))        over the cells
        s = GuidedPooling(Z; mean_l Z)                   what the image itself finds important
        f = SpatialChannelAttention(X, a; channels from Z)
        out = f * (1 + beta sigmoid(s))

    Args:
        visual_dim: v.
        audio_dim: a.
        width: channels of the channel gate's bottleneck and of the poolings' comparisons.
        query_width: channels of queries and keys of the self-attention.
        self_weight: beta.
        dropout: on the self-attention.
    """

    def __init__(
        self, visual_dim: int, audio_dim: int, *, width: int, query_width: int, self_weight: float, dropout: float
    ) -> None:
        super().__init__()
        self.self_weight = self_weight
        self.self_attention = PlainAttention(visual_dim, visual_dim, query_width, visual_dim)
        self.norm = nn.LayerNorm(visual_dim)
        self.dropout = Dropout(dropout)
        self.self_pooling = GuidedPooling(visual_dim, visual_dim, width)
        self.audio_guided = SpatialChannelAttention(visual_dim, audio_dim, width)

    def contextual(self, cells: Tensor, attention: PlainAttention) -> Tensor:
        """LN(X + Dropout(attention(X, X))): (... l v) -> (... l v)."""
        out: Tensor = self.norm(cells + self.dropout(attention(cells, cells)))
        return out

    def forward(self, cells: Tensor, audio: Tensor) -> Tensor:
        """(... l v), (... a) -> (... v)."""
        context = self.contextual(cells, self.self_attention)
        own: Tensor = self.self_pooling(context, context.mean(dim=-2))
        heard: Tensor = self.audio_guided(cells, audio, context)
        return heard * (1 + self.self_weight * own.sigmoid())
