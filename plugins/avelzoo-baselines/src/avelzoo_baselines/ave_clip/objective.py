"""The loss of AVE-CLIP's gate."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from avelzoo import HeadOutput, MemoryView, Targets
from avelzoo.nn import segments_of
from avelzoo_baselines.channels import EVENT_GATE


def gate_loss(output: HeadOutput, targets: Targets, view: MemoryView | None) -> Tensor:
    """BCE(g, y^r) of the event gate."""
    gate, relevance = (segments_of(x, targets.mask) for x in (output[EVENT_GATE], targets.relevance))
    return F.binary_cross_entropy_with_logits(gate, relevance)
