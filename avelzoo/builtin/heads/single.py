"""The single branch: n+1 classes in every segment."""

from __future__ import annotations

from torch import nn

from avelzoo.contracts import Head
from avelzoo.nn import decode_segments
from avelzoo.records import Encoded, HeadOutput, MemoryView, Predictions


class Single(Head):
    """logits_t = W Dropout(F_t) + b over n+1 classes, background last.

    Decoding takes the arg-max of every segment. The video's category is the event with the largest mean probability;
    a segment's relevance is 1 - p(background).

    Args:
        n: event categories.
        width: d.
        dropout: on the features.
    """

    def __init__(self, *, n: int, width: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(width, n + 1)

    def forward(self, encoded: Encoded, view: MemoryView | None) -> HeadOutput:
        """(b t d) -> segment_logits (b t n+1)."""
        return HeadOutput(segment_logits=self.classifier(self.dropout(encoded.fused)))

    def decode(self, output: HeadOutput) -> Predictions:
        """Arg-max per segment."""
        logits = output.segment_logits
        assert logits is not None
        return decode_segments(logits)
