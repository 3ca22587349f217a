"""Replication of videos by blends that mean the same."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from avelzoo import Batch, Targets, Transform


class Replicate(Transform):
    """Adds to a batch a blend of every video with another one of its category.

    A blend takes each segment from either video. Its labels are its source's: where segments have labels, only segments
    of equal labels are exchanged. A video without a partner in the batch has no blend.

    Args:
        swap: probability that a segment that may be exchanged is.
    """

    def __init__(self, swap: float) -> None:
        self.swap = swap

    def __call__(self, batch: Batch, targets: Targets, generator: torch.Generator) -> tuple[Batch, Targets]:
        """The batch and behind it the blends, each with the targets of its source.

        A blend's row number is -1 - that of its source, so that a memory takes it for a video of its own.
        """
        b, t = batch.audio.shape[:2]
        rank = torch.rand(b, b, generator=generator).to(batch.rows.device)
        chance = torch.rand(b, t, generator=generator).to(batch.rows.device)
        others = ~torch.eye(b, dtype=torch.bool, device=batch.rows.device)
        candidates = (targets.event.unsqueeze(1) == targets.event.unsqueeze(0)) & others
        partner = rank.masked_fill(~candidates, -1.0).argmax(dim=1)
        source = candidates.any(dim=1).nonzero().squeeze(1)
        partner = partner[source]
        swapped = chance[source] < self.swap
        if targets.segments is not None:
            swapped &= targets.segments[source] == targets.segments[partner]
        if batch.mask is not None:
            swapped &= batch.mask[partner]

        def blended(features: Tensor) -> Tensor:
            where = swapped.reshape(*swapped.shape, *[1] * (features.ndim - 2))
            return torch.where(where, features[partner], features[source])

        blend = replace(
            batch.take(source),
            audio=blended(batch.audio),
            visual=blended(batch.visual),
            rows=-1 - batch.rows[source],
        )
        return Batch.cat([batch, blend]), Targets.cat([targets, targets.take(source)])
