"""Features of a split with the picture pooled over its grid."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from avelzoo.contracts import Split

BATCH = 64
"""Videos read at a time."""


def pooled_features(
    split: Split, tick: Callable[[int], None] | None = None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Audio (v t a), and the mean and maximum over the grid of visual features, (v t 2 c), of all videos.

    Args:
        split: the split; read once, in order.
        tick: called with the number of videos after each batch.

    Raises:
        DataError: a file is damaged or contains features that are not finite.
    """
    audio, visual = [], []
    for first in range(0, len(split), BATCH):
        batch, _ = split.fetch(np.arange(first, min(first + BATCH, len(split))))
        cells = batch.visual.float().flatten(2, 3)
        audio.append(batch.audio.float().numpy())
        visual.append(torch.cat([cells.mean(dim=2), cells.amax(dim=2)], dim=-1).numpy())
        if tick:
            tick(len(audio[-1]))
    return np.concatenate(audio), np.concatenate(visual)
