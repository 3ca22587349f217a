"""The gate's loss beside the general ones."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from avelzoo import MemoryView, Objective, Predictions, Targets


class EventGateObjective(Objective):
    """The general terms, and BCE(g, y^r) of the event gate.

    Args:
        gate: weight of the gate's loss.
        general: the general full objective.
    """

    def __init__(self, gate: float, *, general: Objective) -> None:
        super().__init__()
        self.general = general
        self.weights = {**general.weights, "gate": gate}

    def forward(self, predictions: Predictions, targets: Targets, view: MemoryView | None) -> dict[str, Tensor]:
        """Term name -> unweighted scalar."""
        gate = F.binary_cross_entropy_with_logits(predictions.extras["event_gate"], targets.relevance)
        return {**self.general(predictions, targets, view), "gate": gate}
