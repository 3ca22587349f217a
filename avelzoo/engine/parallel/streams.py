"""Two streams of random numbers: one common to all processes, and one for each process."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np
import torch

from avelzoo.engine.rng import Generators, capture, restore


class OwnStream:
    """The random numbers of one process, for its own share of the computation.

    The global generators are the same in all processes, so heads, memories and objectives draw the same numbers
    everywhere. Inside ``drawn`` they have this process's own state.

    Args:
        seed: seed of the run.
        rank: rank of the process.
        device: device whose generator is used in addition to the CPU's.
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
        """Draw random numbers from this stream inside the block."""
        common = self._take()
        self._put(self._state)
        try:
            yield
        finally:
            self._state = self._take()
            self._put(common)

    def replayed(self) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        """Contexts of a computation and of its repetition, which draws the same numbers."""
        held: list[tuple[Any, ...]] = []

        @contextmanager
        def first() -> Iterator[None]:
            held[:] = [self._state]
            yield

        @contextmanager
        def again() -> Iterator[None]:
            now, self._state = self._state, held[0]
            try:
                yield
            finally:
                self._state = now

        return first(), again()

    def capture(self) -> Generators:
        """The stream's state, to be stored."""
        with self.drawn():
            return capture(self._device)

    def restore(self, state: Generators) -> None:
        """Inverse of ``capture``."""
        with self.drawn():
            restore(state, self._device)

    def _take(self) -> tuple[Any, ...]:
        """As `capture`, without conversion to plain data, because it runs several times per step."""
        own = torch.cuda.get_rng_state(self._device) if self._device.type == "cuda" else None
        return torch.get_rng_state(), own, np.random.get_state(), random.getstate()  # noqa: NPY002

    def _put(self, state: tuple[Any, ...]) -> None:
        host, own, array, plain = state
        torch.set_rng_state(host)
        if own is not None:
            torch.cuda.set_rng_state(own, self._device)
        np.random.set_state(array)  # noqa: NPY002
        random.setstate(plain)
