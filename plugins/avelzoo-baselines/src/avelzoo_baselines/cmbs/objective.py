"""The fully supervised objective of CMBS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor
from torch.nn import functional as F

from avelzoo import MemoryView, Objective, Predictions, Targets
from avelzoo_baselines.shared.losses import cross_entropy_of_events, cross_entropy_of_probabilities

if TYPE_CHECKING:
    from avelzoo_baselines.cmbs.configs import GatedFullConfig


class GatedFull(Objective):
    """The general full terms, and for heads that give them: the joint gate and the streams' category.

    gate: binary cross-entropy of g_a g_v against y^r; the public code takes that product for a logit although it has
    been through sigmoids. streams: cross-entropy of the streams' class activations.

    Args:
        config: weights and options.
        general: the general full objective with the same weights.
    """

    def __init__(self, config: GatedFullConfig, *, general: Objective) -> None:
        super().__init__()
        self.general = general
        self.gate_is_logit = config.gate_loss == "logits"
        self.weights = {**general.weights, "gate": config.gate, "streams": config.streams}

    def forward(self, predictions: Predictions, targets: Targets, view: MemoryView | None) -> dict[str, Tensor]:
        """Term name -> unweighted scalar."""
        found: dict[str, Tensor] = self.general(predictions, targets, view)
        gate = predictions.extras.get("joint_gate")
        if gate is not None:
            loss = F.binary_cross_entropy_with_logits if self.gate_is_logit else cross_entropy_of_probabilities
            found["gate"] = loss(gate, targets.relevance.to(gate.dtype))
        streams = predictions.extras.get("stream_logits")
        if streams is not None:
            found["streams"] = cross_entropy_of_events(streams, targets)
        return found
