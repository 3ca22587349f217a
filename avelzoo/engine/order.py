"""Which videos make up which step."""

from __future__ import annotations

import numpy as np

from avelzoo.components import SamplerConfig
from avelzoo.composition.recipe import TrainConfig


def epoch_batches(videos: int, sampler: SamplerConfig, train: TrainConfig, epoch: int) -> list[np.ndarray]:
    """Positions of the training split, batch by batch. Depends on seed and epoch alone, so any epoch can be repeated.

    Args:
        videos: size of the split.
        sampler: the order.
        train: seed, batch size, what becomes of a smaller last batch, a limit of batches.
        epoch: 0-based.
    """
    order = sampler.positions(videos, train.batch_size, np.random.default_rng([train.seed, epoch]))
    batches = [order[start : start + train.batch_size] for start in range(0, len(order), train.batch_size)]
    if train.drop_last and len(batches) > 1 and len(batches[-1]) < train.batch_size:
        batches.pop()
    return batches[: train.limit_batches]
