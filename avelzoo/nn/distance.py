"""Distances in an embedding."""

from __future__ import annotations

import torch
from torch import Tensor


def pairwise_distance(x: Tensor, y: Tensor, scale: float = 1.0) -> Tensor:
    """Pairwise distances scale * ||x_p - y_q||_2, computed from differences; the matrix product is inexact near zero.

    Args:
        x: (... p d).
        y: (... q d).
        scale: factor on the distance.

    Returns:
        (... p q), in float32 or better also under mixed precision.
    """
    with torch.autocast(x.device.type, enabled=False):
        wide = torch.promote_types(torch.promote_types(x.dtype, y.dtype), torch.float32)
        distance = torch.cdist(x.to(wide), y.to(wide), compute_mode="donot_use_mm_for_euclid_dist")
    return distance * scale
