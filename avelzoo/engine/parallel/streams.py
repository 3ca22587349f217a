"""Two streams of random numbers: one that all processes draw alike, and one of each process."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from avelzoo.engine.rng import Generators, capture, restore


class OwnStream:
    """The random numbers of one process, for what it alone computes.

    The global generators go on alike in all processes, so that whatever is computed everywhere - heads, memories,
    objectives - draws the same. Inside ``drawn`` they are this process's own.

    Args:
        seed: of the run.
        rank: of the process.
        device: whose generator counts besides the CPU's.
    """

    def __init__(self, seed: int, rank: int, device: torch.device) -> None:
        self._device = device
        common = self._take()
        drawn = int(np.random.SeedSequence([seed, rank + 1]).generate_state(1)[0])
        torch.manual_seed(drawn)
        np.random.seed(drawn)  # noqa: NPY002, components may use the global generator
        random.seed(drawn)
        self._state = self._take()
        self._put(common)

    @contextmanager
    def drawn(self) -> Iterator[None]:
        """Random numbers come from this stream."""
        common = self._take()
        self._put(self._state)
        try:
            yield
        finally:
            self._state = self._take()
            self._put(common)

    def capture(self) -> Generators:
        """The stream's state, to be stored."""
        with self.drawn():
            return capture(self._device)

    def restore(self, state: Generators) -> None:
        """Inverse of ``capture``."""
        with self.drawn():
            restore(state, self._device)

    def _take(self) -> tuple[Any, ...]:
        """As `capture`, without making plain data of it: this happens several times a step."""
        own = torch.cuda.get_rng_state(self._device) if self._device.type == "cuda" else None
        return torch.get_rng_state(), own, np.random.get_state(), random.getstate()  # noqa: NPY002

    def _put(self, state: tuple[Any, ...]) -> None:
        host, own, array, plain = state
        torch.set_rng_state(host)
        if own is not None:
            torch.cuda.set_rng_state(own, self._device)
        np.random.set_state(array)  # noqa: NPY002
        random.setstate(plain)
