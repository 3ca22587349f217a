"""Which videos make up which step."""

from __future__ import annotations

import numpy as np
import pytest

from avelzoo.composition.recipe import TrainConfig
from avelzoo.engine.order import epoch_batches


def batches(order, epoch=0, **values):
    return epoch_batches(10, TrainConfig(batch_size=4, order=order, seed=3, **values), epoch)


def test_shuffled_is_new_every_epoch_and_the_same_when_repeated():
    first, again, second = (np.concatenate(batches("shuffled", e, drop_last=False)) for e in (0, 0, 1))
    assert sorted(first) == list(range(10))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, second)


def test_sequential_is_the_split():
    assert np.concatenate(batches("sequential", 5, drop_last=False)).tolist() == list(range(10))


def test_first_batch_is_drawn_from_all_and_the_others_stay():
    first, second, third = batches("first-batch", drop_last=False)
    assert (second.tolist(), third.tolist()) == ([4, 5, 6, 7], [8, 9])
    drawn = {tuple(batches("first-batch", epoch)[0]) for epoch in range(20)}
    assert len(drawn) > 1
    assert set().union(*drawn) == set(range(10))
    assert len(set(first)) == 4


@pytest.mark.parametrize("order", ["shuffled", "sequential", "first-batch"])
def test_a_smaller_last_batch_is_left_out_on_request(order):
    assert [len(b) for b in batches(order, drop_last=True)] == [4, 4]
    assert [len(b) for b in batches(order, drop_last=False)] == [4, 4, 2]
    assert [len(b) for b in epoch_batches(3, TrainConfig(batch_size=4, order=order), 0)] == [3]
