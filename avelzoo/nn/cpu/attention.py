"""Forward pass of `avelzoo.nn.Attention` in training on a CPU."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from torch import Tensor
from torch.nn import functional as F

from avelzoo.nn.cpu.dropout import dropout
from avelzoo.nn.cpu.pieces.chain import worth_pieces
from avelzoo.nn.cpu.pieces.function import run

if TYPE_CHECKING:
    from avelzoo.nn.attention import Attention


def training_attention(layer: Attention, query: Tensor, memory: Tensor | None, mask: Tensor | None) -> Tensor:
    """The layer's forward pass: large self-attention goes piece by piece, other dropout has cheap masks.

    Args:
        layer: its parameters, heads and dropout.
        query: (b q d).
        memory: (b k d) or None for self-attention.
        mask: (q k) bool, where a query may look; None for everywhere.

    Returns:
        (b q d).
    """
    p = layer.dropout
    if memory is None and mask is None and worth_pieces(query, 3 * query.shape[-1], p):
        return run([layer.piece_layer(query.shape[1])], query)
    queries, keys, values = layer.project(query, memory)
    if p == 0.0:
        return layer.join(F.scaled_dot_product_attention(queries, keys, values, attn_mask=mask))
    # torch's own attention with dropout on a CPU does the same, with slower masks
    scores = queries @ keys.transpose(-2, -1) / math.sqrt(queries.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    return layer.join(dropout(scores.softmax(dim=-1), p) @ values)
