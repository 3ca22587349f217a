"""Attention over sequences."""

from __future__ import annotations

import math

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional as F

from avelzoo.nn.cpu import cpu_layers
from avelzoo.nn.cpu.attention import training_attention
from avelzoo.nn.cpu.dropout import Dropout, dropout
from avelzoo.nn.cpu.pieces.attention import SelfAttention


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
            mask: (q k) bool, true where a query may attend; None for everywhere.

        Returns:
            (b q d).
        """
        if memory is not None and query.shape[1] == 1 and mask is None:
            return self._one_query(query, memory)
        if self.training and cpu_layers(query):
            return training_attention(self, query, memory, mask)
        queries, keys, values = self.project(query, memory)
        p = self.dropout if self.training else 0.0
        return self.join(F.scaled_dot_product_attention(queries, keys, values, attn_mask=mask, dropout_p=p))

    def piece_layer(self, length: int) -> SelfAttention:
        """Self-attention over sequences of ``length`` rows in a chain of `avelzoo.nn.cpu.pieces`."""
        weights = (self.in_proj_weight, self.in_proj_bias, self.out_proj.weight, self.out_proj.bias)
        return SelfAttention(weights, self.heads, length, self.dropout if self.training else 0.0)

    def project(self, query: Tensor, memory: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values, each (b h s c) with c = d / h."""
        width = query.shape[-1]
        if memory is None:
            packed = F.linear(query, self.in_proj_weight, self.in_proj_bias)
            parts = packed.chunk(3, dim=-1)
        else:
            weight, bias = self.in_proj_weight, self.in_proj_bias
            queries = F.linear(query, weight[:width], bias[:width])
            parts = (queries, *F.linear(memory, weight[width:], bias[width:]).chunk(2, dim=-1))
        queries, keys, values = (rearrange(x, "b s (h c) -> b h s c", h=self.heads) for x in parts)
        return queries, keys, values

    def join(self, mixed: Tensor) -> Tensor:
        """Output projection of all heads: (b h s c) -> (b s d)."""
        out: Tensor = self.out_proj(rearrange(mixed, "b h s c -> b s (h c)"))
        return out

    def _one_query(self, query: Tensor, memory: Tensor) -> Tensor:
        """Attention of one query per sequence (b 1 d) over a memory (b k d)."""
        scores = self.in_memory_space(query) @ memory.transpose(1, 2)
        weights = dropout(scores.softmax(dim=-1), self.dropout, training=self.training)
        return self.from_memory_space(weights @ memory, weights.sum(dim=-1, keepdim=True))

    def in_memory_space(self, query: Tensor) -> Tensor:
        """One query per sequence in the space of the memory: cheaper than projecting the memory.

        With q the projected query of a head and W_k its rows, q (W_k m + b_k) = (W_k^T q) m + const, a constant that
        the softmax cancels.

        Args:
            query: (b 1 d).

        Returns:
            (b h d), divided by sqrt(d / h).
        """
        width = query.shape[-1]
        w_q, w_k, _ = self.in_proj_weight.split_with_sizes([width] * 3)
        queries = F.linear(query.squeeze(1), w_q, self.in_proj_bias[:width])
        queries = rearrange(queries, "b (h c) -> b h c", h=self.heads)
        w_k = rearrange(w_k, "(h c) d -> h c d", h=self.heads)
        return torch.einsum("bhc,hcd->bhd", queries / math.sqrt(queries.shape[-1]), w_k)

    def from_memory_space(self, found: Tensor, sums: Tensor) -> Tensor:
        """Output for weighted rows of the memory.

        With w the weights, sum_k w_k (W_v m_k + b_v) = W_v (sum_k w_k m_k) + b_v sum_k w_k.

        Args:
            found: (b h d), sum_k w_k m_k of each head.
            sums: (b h 1), sum_k w_k, which is not 1 under dropout.

        Returns:
            (b 1 d).
        """
        width = found.shape[-1]
        w_v = rearrange(self.in_proj_weight[2 * width :], "(h c) d -> h c d", h=self.heads)
        values = torch.einsum("bhd,hcd->bhc", found, w_v)
        values = values + sums * rearrange(self.in_proj_bias[2 * width :], "(h c) -> h c", h=self.heads)
        out: Tensor = self.out_proj(rearrange(values, "b h c -> b 1 (h c)"))
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
        self.dropout = Dropout(dropout)

    def forward(self, query: Tensor, memory: Tensor | None = None) -> Tensor:
        """(b q d), (b k d) or None -> (b q d)."""
        out: Tensor = self.norm(query + self.dropout(self.attention(query, memory)))
        return out
