"""End of a chain: sequences are pooled while their rows are in the caches, so the whole output is never stored."""

from __future__ import annotations

import torch
from torch import Tensor

from avelzoo.nn.cpu.dropout import mask_of
from avelzoo.nn.cpu.pieces.layers import seed_for


class Pool:
    """Mean of each sequence, and its rows weighted by the attention of queries, one per head.

    With y (m s d) the rows and a (m h d) the queries in the space of the rows::

        w = Dropout(softmax(a y^T))       (m h s)
        out = [mean_s y, 1; w y, sum_s w] (m 1+h d+1)

    The sums of the weights are not 1 under dropout; an attention layer needs them for its bias.

    Args:
        p: dropout probability of the weights.
    """

    def __init__(self, p: float) -> None:
        self.p = p
        self.seed = 0

    def draw(self) -> None:
        """Draw the seed of the masks."""
        self.seed = seed_for(self.p)

    def forward(self, y: Tensor, queries: Tensor, piece: int) -> tuple[Tensor, Tensor]:
        """(m s d), (m h d) -> (m 1+h d+1), and the weights before dropout (m h s) for the backward pass."""
        d = y.shape[-1]
        weights = torch.bmm(queries, y.transpose(1, 2)).softmax(dim=-1)
        dropped = self._dropped(weights, piece)[0]
        out = y.new_ones(y.shape[0], 1 + queries.shape[1], d + 1)
        torch.mean(y, dim=1, out=out[:, 0, :d])
        out[:, 1:, :d] = torch.bmm(dropped, y)
        out[:, 1:, d] = dropped.sum(dim=-1)
        return out, weights

    def backward(self, grad: Tensor, y: Tensor, queries: Tensor, weights: Tensor, piece: int) -> tuple[Tensor, Tensor]:
        """Gradient of the output -> gradients of y and of the queries."""
        s, d = y.shape[1:]
        found, sums = grad[:, 1:, :d].contiguous(), grad[:, 1:, d:]
        dropped, mask = self._dropped(weights, piece)
        through = torch.bmm(found, y.transpose(1, 2)).add_(sums)
        if mask is not None:
            through.mul_(mask)
        through = torch.ops.aten._softmax_backward_data(through, weights, -1, through.dtype)  # noqa: SLF001
        # y is used three times: one product sums the three gradients
        uses = torch.cat([dropped, through, dropped.new_full((dropped.shape[0], 1, s), 1 / s)], dim=1)
        grads = torch.cat([found, queries, grad[:, :1, :d]], dim=1)
        return torch.bmm(uses.transpose(1, 2), grads), torch.bmm(through, y)

    def _dropped(self, weights: Tensor, piece: int) -> tuple[Tensor, Tensor | None]:
        """The weights after dropout, and the scaled mask."""
        if not self.p:
            return weights, None
        mask, factor = mask_of(weights, self.p, self.seed + piece)
        return weights * mask.mul_(factor), mask
