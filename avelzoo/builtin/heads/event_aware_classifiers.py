"""The event-aware double branch with unshared classifiers and no memory (Table 2's variant of EADB)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from avelzoo.builtin.heads.branches import Classifier, decide
from avelzoo.contracts import Head
from avelzoo.nn.decision import Decision
from avelzoo.records import Encoded, HeadOutput, MemoryView, Predictions

if TYPE_CHECKING:
    from avelzoo.builtin.heads.configs import EventAwareClassifiersConfig


class EventAwareClassifiers(Head):
    """l^e as in the double branch; l^r_{t,c} = W_r^c F_t + b_r^c, one relevance classifier per category c.

    Training uses the classifier of the labelled category, evaluation the classifier of the predicted category.

    Args:
        config: the options.
        n: event categories.
        width: d.
    """

    decision: Decision

    def __init__(self, config: EventAwareClassifiersConfig, *, n: int, width: int) -> None:
        super().__init__()
        self.decision = Decision(threshold=config.threshold, use_tuned=config.threshold_from == "val")
        self.event = Classifier(width, n, config.dropout, config.dropout_at)
        self.relevance = Classifier(width, n, config.dropout, config.dropout_at)

    def forward(self, encoded: Encoded, view: MemoryView | None) -> HeadOutput:
        """(b t d) -> event_logits (b n), category_relevance_logits (b t n)."""
        return HeadOutput(
            event_logits=self.event(encoded.fused, pooling="mean"),
            category_relevance_logits=self.relevance(encoded.fused),
        )

    def decode(self, output: HeadOutput) -> Predictions:
        """The arg-max category in segments where its classifier exceeds the threshold, background elsewhere."""
        assert output.event_logits is not None and output.category_relevance_logits is not None
        category = output.event_logits.argmax(dim=-1)
        own = output.category_relevance_logits.take_along_dim(category[:, None, None], dim=-1).squeeze(-1)
        return decide(output.event_logits, own, self.decision)
