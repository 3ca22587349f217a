"""The contrastive losses of CPSP: positive sample activation within a video and between videos."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from avelzoo.nn import mean_over_time, pairwise_distance


def video_contrast(
    features: Tensor, event: Tensor, counted: Tensor, mask: Tensor | None = None, *, margin: float, negatives: int
) -> Tensor:
    """PSA_v: mean over videos of max(0, d+ - d- + margin).

    With x_i = mean_t F_it / ||F_it||, d+ is the largest distance to a video of the same category (0 where there is no
    other), d- the mean of the ``negatives`` smallest distances to videos of other categories, of all where there are
    fewer; a video without any is left out.

    Args:
        features: F (b t d).
        event: (b), categories.
        counted: (b) bool, videos that have a category; the others are nobody's neighbour.
        mask: (b t) bool, real segments; None where all are.
        margin: m.
        negatives: number of nearest videos of other categories.
    """
    x = mean_over_time(F.normalize(features.to(torch.promote_types(features.dtype, torch.float32)), dim=-1), mask)
    distance = pairwise_distance(x, x)
    known = counted.unsqueeze(0) & counted.unsqueeze(1)
    same = event.unsqueeze(0) == event.unsqueeze(1)
    farthest = distance.masked_fill(~(same & known), 0.0).amax(dim=1)
    nearest = distance.masked_fill(same | ~known, math.inf).topk(min(negatives, len(x)), largest=False).values
    found = nearest.isfinite()
    nearest = nearest.masked_fill(~found, 0.0).sum(dim=1) / found.sum(dim=1).clamp_min(1)
    weights = found.any(dim=1).to(distance.dtype)
    return (F.relu(farthest - nearest + margin) * weights).sum() / weights.sum().clamp_min(1.0)


def segment_contrast(features: Tensor, relevance: Tensor, mask: Tensor | None = None, *, temperature: float) -> Tensor:
    """PSA_s: mean over event segments i of -ln(P_i / (P_i + N_i)).

    P_i = sum of exp(cos(F_i, F_j) / temperature) over the event segments j of the video, i among them; N_i the mean of
    the same over its background segments. The public code sums along the other axis, so that its value does not depend
    on the features; this is its evident intent.

    Args:
        features: F (b t d).
        relevance: (b t), y^r.
        mask: (b t) bool, real segments; None where all are.
        temperature: divides the cosines.
    """
    x = F.normalize(features.to(torch.promote_types(features.dtype, torch.float32)), dim=-1)
    fit = (x @ x.transpose(1, 2) / temperature).exp()
    event = relevance.to(fit.dtype)
    background = 1 - event
    # background rows are not counted, and 1 keeps their quotient finite
    positive = (fit * event.unsqueeze(1)).sum(dim=-1) + background
    if mask is not None:
        background = background.masked_fill(~mask, 0.0)
    negative = (fit * background.unsqueeze(1)).sum(dim=-1) / background.sum(dim=1, keepdim=True).clamp_min(1.0)
    losses = torch.log1p(negative / positive)
    return (losses * event).sum() / event.sum().clamp_min(1.0)
