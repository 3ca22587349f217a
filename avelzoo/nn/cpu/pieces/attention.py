"""Self-attention of one piece."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from avelzoo.nn.cpu.dropout import mask_of
from avelzoo.nn.cpu.pieces.budget import SHARED
from avelzoo.nn.cpu.pieces.layers import Layer, Weights, affine
from avelzoo.nn.cpu.pieces.saved import Saved
from avelzoo.nn.cpu.pieces.sums import scaled_product


class SelfAttention(Layer):
    """Multi-head self-attention with dropout on its weights, and its output projection.

    Args:
        weights: stacked input projection (3d d) and its bias (3d), output projection (d d) and its bias (d).
        heads: h.
        length: s, rows of a sequence.
        p: dropout probability.
    """

    def __init__(self, weights: tuple[Tensor, Tensor, Tensor, Tensor], heads: int, length: int, p: float) -> None:
        super().__init__(*weights, dropout=(p,))
        self.heads, self.length = heads, length

    def forward(self, x: Tensor, weights: Weights, piece: int, saved: Saved | None) -> Tensor:
        """(m s, d) -> (m s, d)."""
        w_in, b_in, w_out, b_out = weights.values[self.first : self.first + 4]
        x = x.to(w_in.dtype)
        attended = self._attend(x, w_in, b_in)
        if saved is not None:
            saved.append(x)
            saved.extend(SHARED.keep(attended))
        return affine(self._mixed(*attended, piece)[0], w_out, b_out)

    def backward(self, grad: Tensor, weights: Weights, piece: int, saved: list[Any], *, wanted: bool) -> Tensor:
        """(m s, d) -> (m s, d)."""
        return self.add_to(None, grad, weights, piece, saved)

    def add_to(
        self, total: Tensor | None, grad: Tensor, weights: Weights, piece: int, saved: list[Any], *, factor: float = 1.0
    ) -> Tensor:
        """Gradient of the input for ``factor`` times ``grad``, plus ``total``, the gradient of another path to it."""
        w_in, b_in, w_out, _ = weights.values[self.first : self.first + 4]
        x = saved[0]
        packed, attention = saved[1:3] if saved[1].numel() else self._attend(x, w_in, b_in)
        mixed, mask = self._mixed(packed, attention, piece)
        weights.gradients.add_product(self.first + 2, grad.t(), mixed, factor)
        weights.gradients.add_rows(self.first + 3, grad, factor)
        back = self._projections(scaled_product(grad, w_out, factor), packed, attention, mask)
        weights.gradients.add_product(self.first, back.t(), x)
        weights.gradients.add_rows(self.first + 1, back)
        return back @ w_in if total is None else torch.addmm(total, back, w_in)

    def _attend(self, x: Tensor, w_in: Tensor, b_in: Tensor) -> tuple[Tensor, Tensor]:
        """Queries, keys, values (3, m h, s, c) with c = d / h; softmax(Q K^T / sqrt(c)) (m h, s, s)."""
        d = x.shape[-1]
        c = d // self.heads
        packed = affine(x, w_in, b_in).view(-1, self.length, 3, self.heads, c)
        packed = packed.permute(2, 0, 3, 1, 4).contiguous().flatten(1, 2)
        scores = scaled_product(packed[0], packed[1].transpose(1, 2), 1 / math.sqrt(c))
        return packed, scores.softmax(dim=-1)

    def _mixed(self, packed: Tensor, attention: Tensor, piece: int) -> tuple[Tensor, Tensor | None]:
        """Weighted values of every query (m s, d), and the scaled mask of the weights."""
        p, mask, weights = self.dropout[0], None, attention
        if p:
            mask, factor = mask_of(attention, p, self.seeds[0] + piece)
            weights = attention * mask.mul_(factor)
        return self._joined(torch.bmm(weights, packed[2])), mask

    def _projections(self, grad: Tensor, packed: Tensor, attention: Tensor, mask: Tensor | None) -> Tensor:
        """(m s, d), gradient of the weighted values -> (m s, 3d), that of the projections."""
        queries, keys, values = packed
        heads, c = self.heads, queries.shape[-1]
        grad = grad.view(-1, self.length, heads, c).transpose(1, 2).flatten(0, 1)
        through = torch.bmm(grad, values.transpose(1, 2))
        weights = attention
        if mask is not None:
            through.mul_(mask)
            weights = mask.mul_(attention)
        back = torch.empty_like(packed)
        torch.bmm(weights.transpose(1, 2), grad, out=back[2])
        through = torch.ops.aten._softmax_backward_data(through, attention, -1, through.dtype)  # noqa: SLF001
        scale = 1 / math.sqrt(c)
        torch.baddbmm(back[0], through, keys, beta=0, alpha=scale, out=back[0])
        torch.baddbmm(back[1], through.transpose(1, 2), queries, beta=0, alpha=scale, out=back[1])
        back = back.view(3, -1, heads, self.length, c).permute(1, 3, 0, 2, 4)
        return back.reshape(-1, 3 * heads * c)

    def _joined(self, x: Tensor) -> Tensor:
        """(m h, s, c) -> (m s, d)."""
        return x.view(-1, self.heads, self.length, x.shape[-1]).transpose(1, 2).reshape(-1, self.heads * x.shape[-1])
