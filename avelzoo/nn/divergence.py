"""Divergences between categorical distributions."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def jensen_shannon(p_logits: Tensor, q_logits: Tensor) -> Tensor:
    """Jensen-Shannon divergence (KL(p || m) + KL(q || m)) / 2, m = (p + q) / 2, in nats: 0 (equal) to ln 2 (disjoint).

    Args:
        p_logits: (... n), before the softmax.
        q_logits: (... n), before the softmax.

    Returns:
        (...).
    """
    log_p = F.log_softmax(p_logits.float(), dim=-1)
    log_q = F.log_softmax(q_logits.float(), dim=-1)
    p, q = log_p.exp(), log_q.exp()
    # The smallest positive number keeps the logarithm finite if both distributions underflow to zero.
    log_m = ((p + q) / 2).clamp_min(1e-38).log()
    return ((p * (log_p - log_m)).sum(-1) + (q * (log_q - log_m)).sum(-1)) / 2
