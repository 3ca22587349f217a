"""Every fixture, visible or kept back: all arrays it lists, in its shapes, and matching where they are known."""

from __future__ import annotations

import pytest
import torch

from tests.parity import fixtures

NAMES = sorted(set(fixtures.names()) - {"ge2023-full", "ge2023-weak"})  # these two are compared in test_ge2023
CASES = [(name, mode) for name in NAMES for mode in fixtures.modes(name)]


@pytest.mark.parametrize(("name", "mode"), CASES)
def test_outputs(name, mode):
    spec = fixtures.description(name)
    got = fixtures.outputs(name, mode)
    for full, shape, meaning in spec["outputs"]:
        prefix, short = full.split(".", 1)
        if prefix != mode or (meaning.startswith("intermediate") and short not in got):
            continue
        assert tuple(got[short].shape) == tuple(shape), short
        assert (got[short].dtype == torch.int64) is meaning.startswith("int64"), short
    assert fixtures.mismatches(name, mode, got) == {}
