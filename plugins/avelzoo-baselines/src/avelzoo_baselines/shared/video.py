"""Weak training on the video's probabilities."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from torch import Tensor

from avelzoo import MemoryView, Objective, Predictions, Targets
from avelzoo_baselines.shared.losses import (
    categorical_cross_entropy,
    cross_entropy_of_probabilities,
    soft_margin_on_probabilities,
)

if TYPE_CHECKING:
    from avelzoo_baselines.shared.configs import VideoConfig

_LOSSES = {
    "soft-margin": soft_margin_on_probabilities,
    "cross-entropy": cross_entropy_of_probabilities,
    "categorical": categorical_cross_entropy,
}


class VideoObjective(Objective):
    """L_video(p, y) over n or n+1 classes, and the general terms of what a memory adds.

    Args:
        config: weights and options.
        general: the general weak objective with the same weights.
    """

    def __init__(self, config: VideoConfig, *, general: Objective) -> None:
        super().__init__()
        self.general = general
        self.loss = _LOSSES[config.video_loss]
        self.weights = {"video": config.video, **{name: general.weights[name] for name in ("unimodal", "prototype")}}

    def forward(self, predictions: Predictions, targets: Targets, view: MemoryView | None) -> dict[str, Tensor]:
        """Term name -> unweighted scalar."""
        probabilities = predictions.extras["video_probabilities"]
        labels = targets.video_labels[:, : probabilities.shape[-1]]
        rest = replace(predictions, event_logits=None, relevance_logits=None, segment_logits=None)
        return {"video": self.loss(probabilities, labels), **self.general(rest, targets, view)}
