"""CACE-Net's objective."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from avelzoo import MemoryView, Objective, Predictions, Targets

if TYPE_CHECKING:
    from avelzoo_baselines.cace_net.configs import CaceNetFullConfig


class CaceNetFull(Objective):
    """CMBS's terms, and for a head that gives queries and keys the contrast of event and background.

    Args:
        config: weights and options.
        gated: CMBS's objective with the same weights.
    """

    def __init__(self, config: CaceNetFullConfig, *, gated: Objective) -> None:
        super().__init__()
        self.gated = gated
        self.temperature = config.background_temperature
        self.weights = {**gated.weights, "background": config.background}

    def forward(self, predictions: Predictions, targets: Targets, view: MemoryView | None) -> dict[str, Tensor]:
        """Term name -> unweighted scalar."""
        found: dict[str, Tensor] = self.gated(predictions, targets, view)
        queries, keys = predictions.extras.get("queries"), predictions.extras.get("keys")
        if queries is not None and keys is not None:
            found["background"] = background_contrast(queries, keys, targets.relevance, self.temperature)
        return found


def background_contrast(queries: Tensor, keys: Tensor, relevance: Tensor, temperature: float) -> Tensor:
    """Supervised contrast within each video: event segments belong together, background ones to nothing but themselves.

    Over the 2t vectors u of queries and keys, s_ij = u_i . u_j / temperature, P_i = the other view of i and, where i is
    an event segment, both views of the other event segments::

        l_i = -log sum_{j in P_i} e^s_ij + log sum_{j != i} e^s_ij + log |P_i|

    averaged over i and the videos. At 0.01 the exponentials leave float32, hence logarithms of sums.

    Args:
        queries: (b t d), unit vectors.
        keys: (b t d), unit vectors.
        relevance: (b t), y^r.
        temperature: of the similarities.
    """
    wide = torch.promote_types(queries.dtype, torch.float32)
    both = torch.cat([queries, keys], dim=1).to(wide)
    similarity = both @ both.transpose(1, 2) / temperature
    rows = torch.arange(both.shape[1], device=both.device)
    itself = rows.unsqueeze(0) == rows.unsqueeze(1)
    other_view = (rows.unsqueeze(0) - rows.unsqueeze(1)).abs() == queries.shape[1]
    event = torch.cat([relevance, relevance], dim=1) > 0
    positive = (other_view | (event.unsqueeze(1) & event.unsqueeze(2))) & ~itself
    numerator = similarity.masked_fill(~positive, -math.inf).logsumexp(dim=-1)
    denominator = similarity.masked_fill(itself, -math.inf).logsumexp(dim=-1)
    return (denominator - numerator + positive.sum(dim=-1).to(wide).log()).mean()
