"""The loss of AVE-CLIP's gate."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from avelzoo import MemoryView, Predictions, Targets
from avelzoo_baselines.channels import EVENT_GATE


def gate_loss(predictions: Predictions, targets: Targets, view: MemoryView | None) -> Tensor:
    """BCE(g, y^r) of the event gate."""
    return F.binary_cross_entropy_with_logits(predictions[EVENT_GATE], targets.relevance)
