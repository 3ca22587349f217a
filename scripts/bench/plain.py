"""Layers of the plain reference: post-norm transformer layers in stock torch modules, in three layouts.

``attention`` calls `scaled_dot_product_attention` itself, batch first; ``batch-first`` and ``sequence-first`` are
torch's own modules, the latter as the public code uses them. `bench.layouts` measures all three. Parameter names are
those of torch's layers.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Layout = Literal["attention", "batch-first", "sequence-first"]
LAYOUTS: tuple[Layout, ...] = ("attention", "batch-first", "sequence-first")


class Attention(nn.Module):
    """Multi-head attention: one product for queries, keys and values; heads are views."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        stock = nn.MultiheadAttention(width, heads)  # its initial values
        self.in_proj_weight, self.in_proj_bias = stock.in_proj_weight, stock.in_proj_bias
        self.out_proj, self.heads, self.dropout = stock.out_proj, heads, dropout

    def forward(self, query: Tensor, memory: Tensor) -> Tensor:
        """(b q d), (b k d) -> (b q d)."""
        d = query.shape[-1]
        if query is memory:
            q, k, v = F.linear(query, self.in_proj_weight, self.in_proj_bias).chunk(3, dim=-1)
        else:
            q = F.linear(query, self.in_proj_weight[:d], self.in_proj_bias[:d])
            k, v = F.linear(memory, self.in_proj_weight[d:], self.in_proj_bias[d:]).chunk(2, dim=-1)
        q, k, v = (x.view(*x.shape[:2], self.heads, -1).transpose(1, 2) for x in (q, k, v))
        mixed = F.scaled_dot_product_attention(q, k, v, dropout_p=self.dropout if self.training else 0.0)
        out: Tensor = self.out_proj(mixed.transpose(1, 2).flatten(2))
        return out


class FeedForward(nn.Module):
    """Second half of a layer: LN(x + W2 relu(W1 x))."""

    linear1: nn.Linear
    linear2: nn.Linear

    def __init__(self, width: int, feedforward: int, dropout: float, norms: tuple[str, str]) -> None:
        super().__init__()
        self.linear1, self.linear2 = nn.Linear(width, feedforward), nn.Linear(feedforward, width)
        self.names = norms
        for name in norms:
            self.add_module(name, nn.LayerNorm(width))
        self.dropout, self.dropout1, self.dropout2 = (nn.Dropout(dropout) for _ in range(3))

    def finish(self, x: Tensor, attended: Tensor) -> Tensor:
        """Both residual connections."""
        first, second = (self.get_submodule(name) for name in self.names)
        x = first(x + self.dropout1(attended))
        out: Tensor = second(x + self.dropout2(self.linear2(self.dropout(F.relu(self.linear1(x))))))
        return out


class EncoderLayer(FeedForward):
    """LN(x + MHA(x, x, x)), then the feed-forward half; as `nn.TransformerEncoderLayer`."""

    def __init__(self, width: int, heads: int, feedforward: int, dropout: float) -> None:
        super().__init__(width, feedforward, dropout, ("norm1", "norm2"))
        self.self_attn = Attention(width, heads, dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(b t d) -> (b t d)."""
        return self.finish(x, self.self_attn(x, x))


class DecoderLayer(FeedForward):
    """LN(q + MHA(q, m, m)), then the feed-forward half: a decoder layer without self-attention."""

    def __init__(self, width: int, heads: int, feedforward: int, dropout: float) -> None:
        super().__init__(width, feedforward, dropout, ("norm2", "norm3"))
        self.multihead_attn: nn.Module = Attention(width, heads, dropout)

    def forward(self, query: Tensor, memory: Tensor) -> Tensor:
        """(b q d), (b k d) -> (b q d)."""
        return self.finish(query, self.multihead_attn(query, memory))


class StockDecoderLayer(DecoderLayer):
    """The same with torch's attention, in its layout."""

    def __init__(self, width: int, heads: int, feedforward: int, dropout: float, *, batch_first: bool) -> None:
        super().__init__(width, heads, feedforward, dropout)
        self.multihead_attn = nn.MultiheadAttention(width, heads, dropout=dropout, batch_first=batch_first)

    def forward(self, query: Tensor, memory: Tensor) -> Tensor:
        """(b q d), (b k d) -> (b q d), or all sequence first."""
        return self.finish(query, self.multihead_attn(query, memory, memory, need_weights=False)[0])


class Layer(nn.Module):
    """One layer, batch first for its callers, under the public state dict's name.

    Args:
        kind: ``encoder`` or ``decoder``.
        layout: of the computation.
        width: d.
        feedforward: hidden channels.
        dropout: probability.
    """

    def __init__(self, kind: str, layout: Layout, width: int, feedforward: int, dropout: float) -> None:
        super().__init__()
        self.swapped = layout == "sequence-first"
        layer: nn.Module
        if layout == "attention":
            layer = (EncoderLayer if kind == "encoder" else DecoderLayer)(width, 4, feedforward, dropout)
        elif kind == "encoder":
            layer = nn.TransformerEncoderLayer(width, 4, feedforward, dropout, batch_first=not self.swapped)
        else:
            layer = StockDecoderLayer(width, 4, feedforward, dropout, batch_first=not self.swapped)
        self.layers = nn.ModuleList([layer])

    def forward(self, *given: Tensor) -> Tensor:
        """(b t d) for each input and for the output; the transpositions are views."""
        if not self.swapped:
            out: Tensor = self.layers[0](*given)
            return out
        swapped: Tensor = self.layers[0](*(x.transpose(0, 1) for x in given))
        return swapped.transpose(0, 1)


def jensen_shannon(x: Tensor, y: Tensor) -> Tensor:
    """(... n), (... n) logits -> (...)."""
    p, q = x.softmax(-1), y.softmax(-1)
    middle = ((p + q) / 2).log()
    return ((p * (p.log() - middle)).sum(-1) + (q * (q.log() - middle)).sum(-1)) / 2


def widened(x: Tensor) -> Tensor:
    """Half-precision results of autocast as float32; everything else as it is."""
    return x.float() if x.dtype == torch.bfloat16 else x


def autocast(precision: str) -> torch.autocast:
    """Torch's own mixed precision."""
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bf16-mixed")
