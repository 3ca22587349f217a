"""Order of the training videos by step."""

from __future__ import annotations

import numpy as np
import pytest

from avelzoo import SequentialConfig, ShuffledConfig, TrainConfig
from avelzoo.engine.order import epoch_batches


def batches(sampler, epoch=0, **values):
    return epoch_batches(10, sampler, TrainConfig(batch_size=4, seed=3, **values), epoch)


def test_shuffled_is_new_every_epoch_and_the_same_when_repeated():
    first, again, second = (np.concatenate(batches(ShuffledConfig(), e, drop_last=False)) for e in (0, 0, 1))
    assert sorted(first) == list(range(10))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, second)


def test_sequential_is_the_split():
    assert np.concatenate(batches(SequentialConfig(), 5, drop_last=False)).tolist() == list(range(10))


@pytest.mark.parametrize("sampler", [ShuffledConfig(), SequentialConfig()])
def test_a_smaller_last_batch_is_left_out_on_request(sampler):
    assert [len(b) for b in batches(sampler, drop_last=True)] == [4, 4]
    assert [len(b) for b in batches(sampler, drop_last=False)] == [4, 4, 2]
    assert [len(b) for b in epoch_batches(3, sampler, TrainConfig(batch_size=4), 0)] == [3]
