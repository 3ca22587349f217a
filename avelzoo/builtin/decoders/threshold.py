"""Decoders on a head's relevance: its fixed margin, or a threshold chosen on val."""

from __future__ import annotations

from avelzoo.builtin.decoders.values import Values
from avelzoo.contracts import Decoder, Head
from avelzoo.metrics import PredictionArrays, Truth, best_threshold, decided_at


class Margin(Decoder):
    """An event where r_t > the head's fixed threshold; alpha_t < m for the event-aware head (eq. 21).

    A head without a threshold, such as the single branch, keeps its own rule.

    Args:
        head: the head; None for scores without a model, which are kept as well.
    """

    def __init__(self, head: Head | None) -> None:
        super().__init__()
        decision = None if head is None else head.decision
        self.threshold = decision.threshold if decision is not None and decision.use_tuned else None

    def decide(self, predictions: PredictionArrays) -> PredictionArrays:
        """Decided again only where the head used its tuned threshold."""
        return predictions if self.threshold is None else decided_at(predictions, self.threshold)

    def describe(self) -> str:
        """The rule."""
        return "the head's fixed margin or threshold"


class RelevanceThreshold(Decoder):
    """An event of the video's category where r_t > threshold.

    Args:
        threshold: until val chooses another one.
    """

    def __init__(self, threshold: float) -> None:
        super().__init__()
        self.values = Values({"threshold": threshold})

    def fit(self, val: PredictionArrays, truth: Truth) -> None:
        """The threshold with the highest segment accuracy on val."""
        self.values.set(threshold=best_threshold(val, truth))

    def decide(self, predictions: PredictionArrays) -> PredictionArrays:
        """The video's category in segments above the threshold."""
        return decided_at(predictions, self.values["threshold"])

    def describe(self) -> str:
        """The threshold."""
        return f"relevance above {self.values['threshold']:.2f} ({self.values.origin})"
