"""Weak training on the video's probabilities."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from avelzoo import MemoryView, Objective, Predictions, Targets
from avelzoo_baselines.shared.configs import VideoConfig
from avelzoo_baselines.shared.losses import cross_entropy_of_probabilities, soft_margin_on_probabilities


class VideoObjective(Objective):
    """L_video(p, y) over n+1 classes in place of the general terms for categories, relevance and segments.

    What a memory or an event-aware head adds is trained by the general terms; so is everything where the head gives no
    probabilities of the video, so that the encoder of a weak system goes with any head.

    Args:
        config: weights and options.
        general: the general weak objective with the same weights.
    """

    def __init__(self, config: VideoConfig, *, general: Objective) -> None:
        super().__init__()
        self.general = general
        self.soft_margin = config.video_loss == "soft-margin"
        self.weights = {**general.weights, "video": config.video}

    def forward(self, predictions: Predictions, targets: Targets, view: MemoryView | None) -> dict[str, Tensor]:
        """Term name -> unweighted scalar."""
        probabilities = predictions.extras.get("video_probabilities")
        if probabilities is None:
            terms: dict[str, Tensor] = self.general(predictions, targets, view)
            return terms
        loss = soft_margin_on_probabilities if self.soft_margin else cross_entropy_of_probabilities
        rest = replace(predictions, event_logits=None, relevance_logits=None, segment_logits=None)
        return {"video": loss(probabilities, targets.video_labels), **self.general(rest, targets, view)}
