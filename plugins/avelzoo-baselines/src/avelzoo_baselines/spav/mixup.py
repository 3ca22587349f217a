"""Mixup of videos, both modalities alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from avelzoo import Batch, Targets, Transform


class Mixup(Transform):
    """Each video x of a batch becomes s x + (1 - s) x', with x' another video of the batch.

    The pairing is a random permutation; s = max(r, 1 - r) with r ~ Beta(alpha, alpha), one for both modalities and the
    whole batch. The larger share is the video's own, so a memory sees the labels that prevail. Where two
    videos differ in length, the shorter one is followed by zeros, as background.

    Args:
        alpha: of the Beta distribution.
    """

    def __init__(self, alpha: float) -> None:
        self.alpha = alpha

    def __call__(self, batch: Batch, targets: Targets, generator: torch.Generator) -> tuple[Batch, Targets]:
        """The mixed batch, and targets that name the partners and the share of their own in every loss term."""
        device = batch.rows.device
        partner = torch.randperm(len(batch.rows), generator=generator).to(device)
        seed = int(torch.randint(2**62, (), generator=generator))
        drawn = float(np.random.default_rng(seed).beta(self.alpha, self.alpha))
        share = max(drawn, 1 - drawn)
        mask, audio, visual = batch.mask, batch.audio, batch.visual
        if mask is not None:
            audio, visual = audio * mask[..., None], visual * mask[..., None, None, None]
            mask = mask | mask[partner]
        mixed = replace(
            batch,
            audio=share * audio + (1 - share) * audio[partner],
            visual=share * visual + (1 - share) * visual[partner],
            mask=mask,
        )
        return mixed, replace(targets, partner=partner, share=share)
