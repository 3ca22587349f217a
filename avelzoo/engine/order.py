"""Which videos make up which step."""

from __future__ import annotations

import numpy as np

from avelzoo.composition.recipe import TrainConfig


def epoch_batches(videos: int, train: TrainConfig, epoch: int) -> list[np.ndarray]:
    """Positions of the training split, batch by batch. Depends on seed and epoch alone, so any epoch can be repeated.

    ``first-batch`` draws the first batch from all videos, and takes the others as they are in the split: the videos in
    the first batch's own place are left out unless drawn, and those drawn from elsewhere come twice (PSP's weak public
    code).

    Args:
        videos: size of the split.
        train: order, batch size, what becomes of a smaller last batch, a limit of batches.
        epoch: 0-based.
    """
    order = np.arange(videos)
    drawn = np.random.default_rng([train.seed, epoch]).permutation(videos)
    if train.order == "shuffled":
        order = drawn
    elif train.order == "first-batch":
        order[: train.batch_size] = drawn[: train.batch_size]
    batches = [order[start : start + train.batch_size] for start in range(0, videos, train.batch_size)]
    if train.drop_last and len(batches) > 1 and len(batches[-1]) < train.batch_size:
        batches.pop()
    return batches[: train.limit_batches]
