"""Attention over sequences."""

from __future__ import annotations

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional as F


class Attention(nn.Module):
    """Multi-head scaled dot-product attention.

    Parameters are laid out and initialised as in ``torch.nn.MultiheadAttention`` (one stacked projection of queries,
    keys and values), so that state dicts of published systems load by renaming alone.

    Args:
        width: channels d of queries, memory and output.
        heads: number of heads; divides ``width``.
        dropout: dropout on the attention weights.
    """

    def __init__(self, width: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.heads = heads
        self.dropout = dropout
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)
        nn.init.xavier_uniform_(self.in_proj_weight)
        nn.init.zeros_(self.out_proj.bias)

    def forward(self, query: Tensor, memory: Tensor | None = None, mask: Tensor | None = None) -> Tensor:
        """softmax(Q K^T / sqrt(d / heads)) V.

        Args:
            query: (b q d).
            memory: (b k d), source of keys and values; None for self-attention.
            mask: (q k) bool, where a query may look; None for everywhere.

        Returns:
            (b q d).
        """
        width = query.shape[-1]
        if memory is None:
            packed = F.linear(query, self.in_proj_weight, self.in_proj_bias)
            queries, keys, values = packed.chunk(3, dim=-1)
        else:
            weight, bias = self.in_proj_weight, self.in_proj_bias
            queries = F.linear(query, weight[:width], bias[:width])
            keys, values = F.linear(memory, weight[width:], bias[width:]).chunk(2, dim=-1)
        queries, keys, values = (rearrange(x, "b s (h c) -> b h s c", h=self.heads) for x in (queries, keys, values))
        dropout = self.dropout if self.training else 0.0
        mixed = F.scaled_dot_product_attention(queries, keys, values, attn_mask=mask, dropout_p=dropout)
        out: Tensor = self.out_proj(rearrange(mixed, "b h s c -> b s (h c)"))
        return out


class VanillaAttention(nn.Module):
    """A plain attention layer with a residual: LN(x + softmax(Q K^T / sqrt(d)) V), one head, no feed-forward.

    Stands in for a transformer block in Table 2's row "- Transformer" of Ge et al. 2023, which names the layer of
    Vaswani et al. 2017 but gives no form; head count, residual and norm are this library's reading.

    Args:
        width: channels d.
        dropout: dropout on the attention weights and on the branch.
    """

    def __init__(self, width: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.attention = Attention(width, 1, dropout)
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, query: Tensor, memory: Tensor | None = None) -> Tensor:
        """(b q d), (b k d) or None -> (b q d)."""
        out: Tensor = self.norm(query + self.dropout(self.attention(query, memory)))
        return out
