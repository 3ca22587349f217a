"""The contrasts of CPSP (Zhou et al. 2022)."""

from __future__ import annotations

from torch import Tensor

from avelzoo import HeadOutput, MemoryView, Targets
from avelzoo_baselines.channels import PROPAGATED
from avelzoo_baselines.cpsp.contrast import segment_contrast, video_contrast


def between_videos(
    output: HeadOutput, targets: Targets, view: MemoryView | None, *, margin: float, negatives: int
) -> Tensor:
    """`video_contrast` of the propagated features."""
    features = output[PROPAGATED]
    return video_contrast(features, targets.event, targets.has_event, targets.mask, margin=margin, negatives=negatives)


def within_videos(output: HeadOutput, targets: Targets, view: MemoryView | None, *, temperature: float) -> Tensor:
    """`segment_contrast` of the propagated features."""
    return segment_contrast(output[PROPAGATED], targets.relevance, targets.mask, temperature=temperature)
