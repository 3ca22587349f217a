"""The losses of CMBS beside the general ones."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from avelzoo import HeadOutput, MemoryView, Targets
from avelzoo.nn import segments_of
from avelzoo_baselines.channels import JOINT_GATE, STREAM_LOGITS
from avelzoo_baselines.shared.losses import cross_entropy_of_events, cross_entropy_of_probabilities


def gate_loss(output: HeadOutput, targets: Targets, view: MemoryView | None, *, is_logit: bool) -> Tensor:
    """Binary cross-entropy of g_a g_v against y^r.

    The public code takes that product for a logit although it has been through sigmoids (``is_logit``).
    """
    gate, relevance = (segments_of(x, targets.mask) for x in (output[JOINT_GATE], targets.relevance))
    loss = F.binary_cross_entropy_with_logits if is_logit else cross_entropy_of_probabilities
    return loss(gate, relevance.to(gate.dtype))


def stream_loss(output: HeadOutput, targets: Targets, view: MemoryView | None) -> Tensor:
    """Cross-entropy of the streams' class activations."""
    return cross_entropy_of_events(output[STREAM_LOGITS], targets)
