"""The segments' loss of AVEL 2018's public code."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from avelzoo import HeadOutput, MemoryView, Targets
from avelzoo.channels import SEGMENT_LOGITS
from avelzoo.nn import segments_of
from avelzoo_baselines.shared.losses import soft_margin_on_probabilities


def soft_margin_of_segments(output: HeadOutput, targets: Targets, view: MemoryView | None) -> Tensor:
    """Mean over b t n+1 of -(y ln sigmoid(p) + (1 - y) ln(1 - sigmoid(p))) with p the softmax of the logits.

    The public code gives probabilities to a loss that takes logits: it never falls below 0.68 (n = 28).
    """
    assert targets.segments is not None, "the composition check pairs this loss with full supervision"
    labels = F.one_hot(segments_of(targets.segments, targets.mask), targets.background + 1)
    return soft_margin_on_probabilities(segments_of(output[SEGMENT_LOGITS], targets.mask).softmax(dim=-1), labels)
