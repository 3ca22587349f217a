"""The general double branch: independent classifiers of the video's category and of segment relevance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from avelzoo.builtin.heads.branches import Classifier, decide
from avelzoo.contracts import Head
from avelzoo.nn.decision import Decision
from avelzoo.records import Encoded, HeadOutput, MemoryView, Predictions

if TYPE_CHECKING:
    from avelzoo.builtin.heads.configs import DoubleConfig


class Double(Head):
    """l^e = mean_t(W_e F_t + b_e), l^r_t = W_r F_t + b_r; an event where sigmoid(l^r_t) > threshold (eq. 9-12).

    Args:
        config: the options.
        n: event categories.
        width: d.
    """

    decision: Decision

    def __init__(self, config: DoubleConfig, *, n: int, width: int) -> None:
        super().__init__()
        self.pooling = config.pooling
        self.decision = Decision(threshold=config.threshold, use_tuned=config.threshold_from == "val")
        self.event = Classifier(width, n, config.dropout, config.dropout_at)
        self.relevance = Classifier(width, 1, config.dropout, config.dropout_at)

    def estimate(self, encoded: Encoded) -> Tensor:
        """(b t), sigmoid(l^r_t) of eq. 12."""
        return self.relevance.probability(encoded.fused).squeeze(-1)

    def forward(self, encoded: Encoded, view: MemoryView | None) -> HeadOutput:
        """(b t d) -> event_logits (b n), relevance_logits (b t)."""
        return HeadOutput(
            event_logits=self.event(encoded.fused, pooling=self.pooling),
            relevance_logits=self.relevance(encoded.fused).squeeze(-1),
        )

    def decode(self, output: HeadOutput) -> Predictions:
        """The arg-max category in segments with a relevance above the threshold, background elsewhere."""
        assert output.event_logits is not None and output.relevance_logits is not None
        return decide(output.event_logits, output.relevance_logits, self.decision)
