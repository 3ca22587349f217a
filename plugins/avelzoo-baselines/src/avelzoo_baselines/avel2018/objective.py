"""The fully supervised objective of AVEL 2018."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor
from torch.nn import functional as F

from avelzoo import MemoryView, Objective, Predictions, Targets
from avelzoo_baselines.shared.losses import soft_margin_on_probabilities

if TYPE_CHECKING:
    from avelzoo_baselines.avel2018.configs import SegmentFullConfig


class SegmentFull(Objective):
    """The general full terms; the segments' one may be a soft margin on their probabilities.

    The public code gives the softmax of the logits to a loss that takes logits: mean over b t n+1 of
    -(y ln sigmoid(p) + (1 - y) ln(1 - sigmoid(p))), which never falls below 0.68 (n = 28).

    Args:
        config: weights and options.
        general: the general full objective with the same weights.
    """

    def __init__(self, config: SegmentFullConfig, *, general: Objective) -> None:
        super().__init__()
        self.general = general
        self.soft_margin = config.segment_loss == "soft-margin"
        self.weights = general.weights

    def forward(self, predictions: Predictions, targets: Targets, view: MemoryView | None) -> dict[str, Tensor]:
        """Term name -> unweighted scalar."""
        found: dict[str, Tensor] = self.general(predictions, targets, view)
        if self.soft_margin and predictions.segment_logits is not None:
            assert targets.segments is not None, "the composition check pairs this objective with full supervision"
            labels = F.one_hot(targets.segments, targets.background + 1)
            found["segment"] = soft_margin_on_probabilities(predictions.segment_logits.softmax(dim=-1), labels)
        return found
