"""The table of recipes: bounds from what was counted, the lower share first."""

from __future__ import annotations

import pytest
from bench.recipes import least_bytes, row

COST = {
    "batch_size": 8,
    "train_flops": 6e9,
    "eval_flops": 2e9,
    "products_per_second": 1e10,
    "train_seconds": 1.2,
    "eval_seconds": 0.4,
    "peak_memory_mb": 500.0,
}


@pytest.mark.parametrize(("parameters", "floor", "binds"), [(0, 0.6, "products"), (10**9, 1.02, "memory")])
def test_the_larger_bound_is_the_floor(parameters, floor, binds):
    found = row("psp", COST | least_bytes(10**8, parameters), bytes_per_second=1e10)
    assert found.floor == pytest.approx(floor)
    assert found.share == pytest.approx(floor / 1.2)
    assert f"bound by {binds}" in found.note and "50% of its floor" in found.note


def test_adam_moves_the_weights_ten_times():
    assert least_bytes(3, 2) == {"train_bytes": 26, "eval_bytes": 5}
