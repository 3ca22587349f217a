"""Loss functions of several systems; they compute in float32 or better."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from avelzoo import Targets


def soft_margin_on_probabilities(probabilities: Tensor, labels: Tensor) -> Tensor:
    """Mean of -(y ln sigmoid(p) + (1 - y) ln(1 - sigmoid(p))) with p already a probability.

    The multi-label soft margin of the public code of AVEL, CMRAN and CMBS, whose inputs have been through a softmax:
    squashed twice, p in [0, 1] never costs less than about 0.69 per wrong class and 0.31 for the right one.

    Args:
        probabilities: (... n).
        labels: (... n) in [0, 1].
    """
    return F.binary_cross_entropy_with_logits(_wide(probabilities), _wide(labels))


def cross_entropy_of_probabilities(probabilities: Tensor, labels: Tensor) -> Tensor:
    """Mean of -(y ln p + (1 - y) ln(1 - p)), also where the model runs in mixed precision.

    Args:
        probabilities: (...) in [0, 1].
        labels: (...) in [0, 1].
    """
    with torch.autocast(probabilities.device.type, enabled=False):
        p = _wide(probabilities)
        return F.binary_cross_entropy(p, labels.to(p.dtype))


def categorical_cross_entropy(probabilities: Tensor, labels: Tensor) -> Tensor:
    """Mean over the rows of -sum_c y_c ln p_c, with p kept above the smallest normal number.

    Args:
        probabilities: (b n), rows sum to 1.
        labels: (b n) in [0, 1].
    """
    p = _wide(probabilities)
    return -(_wide(labels) * p.clamp_min(torch.finfo(p.dtype).tiny).log()).sum(dim=-1).mean()


def cross_entropy_of_events(logits: Tensor, targets: Targets) -> Tensor:
    """Mean of -ln softmax(logits)[category] over the videos that have a category; 0 where none has.

    Args:
        logits: (b n).
        targets: of the b videos.
    """
    losses = F.cross_entropy(_wide(logits), targets.event.clamp_max(logits.shape[-1] - 1), reduction="none")
    counted = targets.has_event.to(losses.dtype)
    return (losses * counted).sum() / counted.sum().clamp_min(1.0)


def _wide(values: Tensor) -> Tensor:
    return values.to(torch.promote_types(values.dtype, torch.float32))
