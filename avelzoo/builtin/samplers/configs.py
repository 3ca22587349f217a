"""Options of the built-in samplers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from avelzoo.components import SamplerConfig

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, kw_only=True)
class ShuffledConfig(SamplerConfig):
    """Every training video once, in a new random order in each epoch.

    >>> issubclass(ShuffledConfig, avelzoo.SamplerConfig)
    True
    """

    def positions(self, videos: int, batch_size: int, rng: np.random.Generator) -> np.ndarray:
        """A permutation."""
        return rng.permutation(videos)


@dataclass(frozen=True, kw_only=True)
class SequentialConfig(SamplerConfig):
    """Every training video once, in the order of the split.

    >>> issubclass(SequentialConfig, avelzoo.SamplerConfig)
    True
    """

    def positions(self, videos: int, batch_size: int, rng: np.random.Generator) -> np.ndarray:
        """0 to ``videos`` - 1."""
        import numpy as np

        return np.arange(videos)
