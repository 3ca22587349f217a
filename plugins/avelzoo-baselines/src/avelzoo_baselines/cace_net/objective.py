"""CACE-Net's contrast of event and background."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from avelzoo import HeadOutput, MemoryView, Targets
from avelzoo.nn import segments_of
from avelzoo_baselines.channels import CONTRAST_KEYS, CONTRAST_QUERIES


def contrast_loss(output: HeadOutput, targets: Targets, view: MemoryView | None, *, temperature: float) -> Tensor:
    """`background_contrast` of a head's queries and keys."""
    queries, keys = output[CONTRAST_QUERIES], output[CONTRAST_KEYS]
    return background_contrast(queries, keys, targets.relevance, temperature, targets.mask)


def background_contrast(
    queries: Tensor, keys: Tensor, relevance: Tensor, temperature: float, mask: Tensor | None = None
) -> Tensor:
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
        mask: (b t) bool, real segments, of which alone all this is said; None where all are.
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
    real = None if mask is None else torch.cat([mask, mask], dim=1)
    unseen = itself if real is None else itself | ~real.unsqueeze(1)
    denominator = similarity.masked_fill(unseen, -math.inf).logsumexp(dim=-1)
    return segments_of(denominator - numerator + positive.sum(dim=-1).to(wide).log(), real).mean()
