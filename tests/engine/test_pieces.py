"""Order of videos, losses."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from avelzoo.builtin.samplers.configs import SequentialConfig, ShuffledConfig
from avelzoo.composition.recipe import TrainConfig
from avelzoo.engine.losses import Losses, require_finite_weights
from avelzoo.engine.order import epoch_batches
from avelzoo.errors import TrainingError


def test_every_video_once_in_an_order_of_seed_and_epoch():
    train = TrainConfig(batch_size=4, seed=7, drop_last=False)
    first = epoch_batches(10, ShuffledConfig(), train, 0)
    assert [len(batch) for batch in first] == [4, 4, 2]
    assert sorted(np.concatenate(first)) == list(range(10))
    expected = np.random.default_rng([7, 3]).permutation(10)
    assert np.array_equal(np.concatenate(epoch_batches(10, ShuffledConfig(), train, 3)), expected)
    assert not np.array_equal(np.concatenate(first), expected)


@pytest.mark.parametrize(
    ("videos", "values", "sizes"),
    [
        (10, {}, [4, 4]),
        (8, {}, [4, 4]),
        (3, {}, [3]),
        (10, {"drop_last": False}, [4, 4, 2]),
        (10, {"limit_batches": 1}, [4]),
        (10, {"limit_batches": 9}, [4, 4]),
    ],
)
def test_batches(videos, values, sizes):
    train = TrainConfig(**({"batch_size": 4} | values))
    batches = epoch_batches(videos, SequentialConfig(), train, 5)
    assert [len(batch) for batch in batches] == sizes
    assert np.concatenate(batches).tolist() == list(range(sum(sizes)))


def test_means_of_terms_that_come_and_go():
    losses = Losses(0, check_every=1)
    losses.add(torch.tensor(2.0), {"a": torch.tensor(1.0)})
    losses.add(torch.tensor(4.0), {"a": torch.tensor(2.0), "b": torch.tensor(5.0)})
    assert losses.means() == {"loss": 3.0, "terms": {"a": 1.5, "b": 5.0}, "steps": 2}


@pytest.mark.parametrize("every", [1, 3])
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_the_step_with_a_loss_that_is_no_number_is_named(every, bad):
    losses = Losses(4, check_every=every)

    def train():
        for value in (1.0, 2.0, 3.0, 4.0, bad, 5.0):
            losses.add(torch.tensor(value), {"a": torch.tensor(1.0), "b": torch.tensor(value)})

    with pytest.raises(TrainingError) as fault:
        train()
    assert fault.value.where == "epoch 5, step 5"
    assert fault.value.found == f"loss {bad}; its terms: a 1, b {bad}"


def test_weights_that_are_no_numbers_are_named():
    model = torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.Linear(1, 1))
    require_finite_weights(model, 0)
    with torch.no_grad():
        model[1].bias[0] = float("nan")
    with pytest.raises(TrainingError) as fault:
        require_finite_weights(model, 0)
    assert fault.value.found == "weights 1.bias"
    assert SimpleNamespace(**fault.value.to_dict()).exit_code == 7
