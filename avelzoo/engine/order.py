"""Order of the training videos by step."""

from __future__ import annotations

import numpy as np

from avelzoo.components import SamplerConfig
from avelzoo.composition.recipe import TrainConfig


def epoch_batches(videos: int, sampler: SamplerConfig, train: TrainConfig, epoch: int) -> list[np.ndarray]:
    """Positions in the training split by batch. They depend only on seed and epoch, so any epoch can be repeated.

    Args:
        videos: number of videos in the split.
        sampler: order of the videos.
        train: seed, batch size, handling of a smaller last batch, limit of batches.
        epoch: 0-based.
    """
    order = sampler.positions(videos, train.batch_size, np.random.default_rng([train.seed, epoch]))
    batches = [order[start : start + train.batch_size] for start in range(0, len(order), train.batch_size)]
    if train.drop_last and len(batches) > 1 and len(batches[-1]) < train.batch_size:
        batches.pop()
    return batches[: train.limit_batches]
