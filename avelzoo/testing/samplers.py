"""Checks for samplers."""

from __future__ import annotations

from itertools import product

import numpy as np

from avelzoo.components import SamplerConfig

_SIZES = tuple(product((1, 3, 10), (1, 4, 16)))
"""(videos, batch size)."""


def _drawn(config: SamplerConfig, videos: int, batch_size: int, epoch: int = 0) -> np.ndarray:
    return config.positions(videos, batch_size, np.random.default_rng([0, epoch]))


def check_positions_of_the_split(config: SamplerConfig) -> None:
    """One or more whole numbers from 0 to the number of videos, in one row."""
    for videos, batch_size in _SIZES:
        found = _drawn(config, videos, batch_size)
        assert isinstance(found, np.ndarray), f"positions are {type(found).__name__}, not a NumPy array"
        assert found.ndim == 1, f"positions have {found.ndim} axes, not 1"
        assert np.issubdtype(found.dtype, np.integer), f"positions are {found.dtype}, not integers"
        assert len(found), f"no positions for {videos} videos"
        assert found.min() >= 0, f"position {found.min()} is below 0"
        assert found.max() < videos, f"position {found.max()} is outside a split of {videos} videos"


def check_depends_on_its_generator_alone(config: SamplerConfig) -> None:
    """Positions depend on seed and epoch only, not on other generators."""
    first = [_drawn(config, *size, epoch) for size in _SIZES for epoch in range(3)]
    np.random.seed(1)  # noqa: NPY002, a sampler that reads the global generator is what this looks for
    again = [_drawn(config, *size, epoch) for size in _SIZES for epoch in range(3)]
    assert all(map(np.array_equal, first, again)), "the same seed and epoch gave other positions"
