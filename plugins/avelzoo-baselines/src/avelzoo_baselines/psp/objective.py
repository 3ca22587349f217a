"""The fully supervised objective of PSP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from avelzoo import MemoryView, Objective, Predictions, Targets
from avelzoo_baselines.psp.similarity import event_shares, pair_similarity_loss, stale_shares

if TYPE_CHECKING:
    from avelzoo import FeatureSpec
    from avelzoo_baselines.psp.configs import PairFullConfig


class PairFull(Objective):
    """The general full terms, and where the encoder gives pair similarities their loss (Zhou et al. 2021, sec. 3.3).

    Targets are `event_shares`. The public code allocates them once and writes event segments alone, so that
    background segments keep what earlier videos left in the same place of a batch (`stale_shares`); the buffer of
    ``stale_slots`` places is part of the state dict. Videos beyond it, or of another length, get targets of their own.

    Args:
        config: weights and options.
        spec: sizes of the features.
        general: the general full objective with the same weights.
    """

    stale: Tensor | None

    def __init__(self, config: PairFullConfig, spec: FeatureSpec, *, general: Objective) -> None:
        super().__init__()
        self.general = general
        self.weights = {**general.weights, "pair": config.pair}
        is_stale = config.pair_targets == "stale"
        self.register_buffer("stale", torch.zeros(config.stale_slots, spec.segments) if is_stale else None)

    def forward(self, predictions: Predictions, targets: Targets, view: MemoryView | None) -> dict[str, Tensor]:
        """Term name -> unweighted scalar."""
        found: dict[str, Tensor] = self.general(predictions, targets, view)
        similarity = predictions.extras.get("pair_similarity")
        if similarity is not None:
            found["pair"] = pair_similarity_loss(similarity, self._targets(targets.relevance))
        return found

    def _targets(self, relevance: Tensor) -> Tensor:
        """(b t) -> (b t)."""
        b, t = relevance.shape
        if self.stale is None or b > self.stale.shape[0] or t != self.stale.shape[1]:
            return event_shares(relevance)
        shares = stale_shares(relevance, self.stale[:b].to(relevance.dtype))
        if self.training:
            self.stale[:b] = shares.to(self.stale.dtype)
        return shares
