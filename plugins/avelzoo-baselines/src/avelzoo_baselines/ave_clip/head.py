"""A single branch with AVE-CLIP's filter on its answers."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from avelzoo import Encoded, Head, HeadOutput, MemoryView, Predictions
from avelzoo.nn import decode_segments
from avelzoo_baselines.channels import VIDEO_PROBABILITIES


class SmoothedSingle(Head):
    """s_t = W Dropout(F_t) + b over n+1 classes; answers filtered over three segments.

    Where labels are weak, p = softmax(mean_t s_t) is what they train.

    Args:
        n: event categories.
        width: d.
        dropout: on the features.
        smooth: apply the filter.
        pooled: give the video's probabilities.
    """

    def __init__(self, *, n: int, width: int, dropout: float, smooth: bool, pooled: bool) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(width, n + 1)
        self.smooth, self.pooled = smooth, pooled

    def forward(self, encoded: Encoded, view: MemoryView | None) -> HeadOutput:
        """(b t d) -> segment_logits (b t n+1); where labels are weak, video_probabilities (b n+1)."""
        logits = self.classifier(self.dropout(encoded.fused))
        channels = {VIDEO_PROBABILITIES: logits.mean(dim=1).softmax(dim=-1)} if self.pooled else {}
        return HeadOutput(segment_logits=logits, channels=channels)

    def decode(self, output: HeadOutput) -> Predictions:
        """Arg-max per segment, then the filter."""
        assert output.segment_logits is not None
        predictions = decode_segments(output.segment_logits)
        return replace(predictions, segments=smoothed(predictions.segments)) if self.smooth else predictions


def smoothed(segments: Tensor) -> Tensor:
    """A segment whose two neighbours agree takes their answer. Reads the answers as they were: (b t) -> (b t)."""
    if segments.shape[1] < 3:
        return segments
    before, after = segments[:, :-2], segments[:, 2:]
    middle = torch.where(before == after, before, segments[:, 1:-1])
    return torch.cat([segments[:, :1], middle, segments[:, -1:]], dim=1)
