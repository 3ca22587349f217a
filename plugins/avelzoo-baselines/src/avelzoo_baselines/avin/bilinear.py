"""Multi-modal factorised bilinear pooling, and the weighting of its output."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from avelzoo.nn import Dropout

_TINY = 1e-12


class BilinearFusion(nn.Module):
    """h = Dropout(U x * W y) in R^(o q); groups of q are summed; signed square root; L2-normalised (Yu et al. 2017).

    Args:
        width: channels of x and y.
        out: channels o.
        factor: rank q.
        dropout: on the product.
    """

    def __init__(self, width: int, out: int, factor: int, dropout: float) -> None:
        super().__init__()
        self.out, self.factor = out, factor
        self.first = nn.Linear(width, out * factor)
        self.second = nn.Linear(width, out * factor)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """(... d), (... d) -> (... o) of length 1."""
        product = self.dropout(self.first(x) * self.second(y))
        summed = product.unflatten(-1, (self.out, self.factor)).sum(dim=-1)
        root = summed.sign() * (summed.abs() + _TINY).sqrt()  # the root has no derivative at 0
        return F.normalize(root, dim=-1)


class SegmentGate(nn.Module):
    """z_t (1 + t alpha_t) / 2 with alpha = softmax_t(w . tanh(W z_t + b)); a uniform alpha changes nothing.

    Args:
        width: channels of z.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(width, width)
        self.score = nn.Linear(width, 1, bias=False)

    def forward(self, z: Tensor) -> Tensor:
        """(b t o) -> (b t o)."""
        weights = self.score(torch.tanh(self.hidden(z))).softmax(dim=1)
        gated: Tensor = z * (1 + z.shape[1] * weights) / 2
        return gated
