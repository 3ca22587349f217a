"""The single branch of AVEL 2018 and PSP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from avelzoo import Encoded, Head, HeadOutput, MemoryView, Predictions
from avelzoo.nn import decode_segments
from avelzoo_baselines.channels import VIDEO_PROBABILITIES

if TYPE_CHECKING:
    from avelzoo_baselines.shared.configs import LayeredSingleConfig


class LayeredSingle(Head):
    """s_t = W2 ReLU(W1 F_t + b1) + b2 over n+1 classes, background last; p = softmax(pool_t s_t) for weak labels.

    With ``weighting``, s_t <- sigmoid(ReLU(w . s_t)) s_t before the pooling: weights in [0.5, 1), as the public code
    of PSP has them (sec. 3.4 of Zhou et al. 2021). Decoding takes each segment's arg-max. Weights start from Xavier's
    uniform distribution, as in both public codes.

    Args:
        config: the options.
        n: event categories.
        width: d.
    """

    def __init__(self, config: LayeredSingleConfig, *, n: int, width: int) -> None:
        super().__init__()
        self.pooling = config.pooling
        last = nn.Linear(width if config.hidden is None else config.hidden, n + 1, bias=config.bias)
        nn.init.xavier_uniform_(last.weight)
        self.classifier: nn.Module = last
        if config.hidden is not None:
            first = nn.Linear(width, config.hidden, bias=config.bias)
            nn.init.xavier_uniform_(first.weight)
            self.classifier = nn.Sequential(first, nn.ReLU(), last)
        self.weight = nn.Linear(n + 1, 1, bias=False) if config.weighting else None

    def forward(self, encoded: Encoded, view: MemoryView | None) -> HeadOutput:
        """(b t d) -> segment_logits (b t n+1); video_probabilities (b n+1)."""
        logits: Tensor = self.classifier(encoded.fused)
        if self.weight is not None:
            logits = logits * self.weight(logits).relu().sigmoid()
        pooled = logits.amax(dim=1) if self.pooling == "max" else logits.mean(dim=1)
        return HeadOutput(segment_logits=logits, channels={VIDEO_PROBABILITIES: pooled.softmax(dim=-1)})

    def decode(self, output: HeadOutput) -> Predictions:
        """Arg-max per segment."""
        assert output.segment_logits is not None
        return decode_segments(output.segment_logits)
