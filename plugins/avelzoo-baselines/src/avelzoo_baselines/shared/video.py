"""Weak training on the video's probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from avelzoo import HeadOutput, MemoryView, Targets
from avelzoo_baselines.channels import VIDEO_PROBABILITIES
from avelzoo_baselines.shared.losses import (
    categorical_cross_entropy,
    cross_entropy_of_probabilities,
    soft_margin_on_probabilities,
)

if TYPE_CHECKING:
    from avelzoo_baselines.shared.configs import VideoLoss

_LOSSES = {
    "soft-margin": soft_margin_on_probabilities,
    "cross-entropy": cross_entropy_of_probabilities,
    "categorical": categorical_cross_entropy,
}


def video_loss(output: HeadOutput, targets: Targets, view: MemoryView | None, *, form: VideoLoss) -> Tensor:
    """L_video(p, y) over n or n+1 classes."""
    probabilities = output[VIDEO_PROBABILITIES]
    return _LOSSES[form](probabilities, targets.video_labels[:, : probabilities.shape[-1]])
