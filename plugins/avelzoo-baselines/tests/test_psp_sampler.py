"""PSP's public weak sampler."""

from __future__ import annotations

import numpy as np
from avelzoo_baselines.psp.configs import FirstBatchConfig


def positions(epoch):
    return FirstBatchConfig().positions(10, 4, np.random.default_rng([3, epoch]))


def test_first_batch_is_drawn_from_all_and_the_others_stay():
    assert positions(0)[4:].tolist() == [4, 5, 6, 7, 8, 9]
    drawn = {tuple(positions(epoch)[:4]) for epoch in range(20)}
    assert len(drawn) > 1
    assert set().union(*drawn) == set(range(10))
    assert len(set(positions(0)[:4])) == 4


def test_it_draws_what_a_shuffled_epoch_begins_with():
    """The permutation of `ShuffledConfig`, so that the numbers are those of the former option of the training loop."""
    assert positions(7)[:4].tolist() == np.random.default_rng([3, 7]).permutation(10)[:4].tolist()
