"""The weak single branch: n+1 classes per segment and their pooling."""

from __future__ import annotations

from typing import Literal

from torch import nn

from avelzoo import Encoded, Head, HeadOutput, MemoryView, Predictions
from avelzoo.nn import Dropout, decode_segments
from avelzoo_baselines.channels import VIDEO_PROBABILITIES


class PooledSingle(Head):
    """s_t = W F_t + b over n+1 classes; p = softmax(pool_t s_t) is what weak labels train.

    Pooling is the mean, the maximum, or sum_t softmax_t(U F_t + u) s_t with weights per class, as in the attentive
    pooling of audio-visual video parsing (Tian et al. 2020). Decoding takes each segment's arg-max.

    Args:
        n: event categories.
        width: d.
        pooling: mean, max or attention.
        dropout: on the features.
    """

    def __init__(self, *, n: int, width: int, pooling: Literal["mean", "max", "attention"], dropout: float) -> None:
        super().__init__()
        self.pooling = pooling
        self.dropout = Dropout(dropout)
        self.classifier = nn.Linear(width, n + 1)
        self.attention = nn.Linear(width, n + 1) if pooling == "attention" else None

    def forward(self, encoded: Encoded, view: MemoryView | None) -> HeadOutput:
        """(b t d) -> segment_logits (b t n+1); video_probabilities (b n+1)."""
        features = self.dropout(encoded.fused)
        logits = self.classifier(features)
        if self.attention is not None:
            pooled = (self.attention(features).softmax(dim=1) * logits).sum(dim=1)
        else:
            pooled = logits.amax(dim=1) if self.pooling == "max" else logits.mean(dim=1)
        return HeadOutput(segment_logits=logits, channels={VIDEO_PROBABILITIES: pooled.softmax(dim=-1)})

    def decode(self, output: HeadOutput) -> Predictions:
        """Arg-max per segment."""
        assert output.segment_logits is not None
        return decode_segments(output.segment_logits)
