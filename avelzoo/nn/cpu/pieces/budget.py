"""Memory for activations that the backward pass can compute again: kept while there is room, recomputed otherwise."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Sequence

from torch import Tensor

LIMIT = 64 << 20
"""Bytes of recomputable activations that all chains of a process keep at a time; four times as many save no measurable
time in a step of the paper's size."""


class Budget:
    """Counts the bytes that are kept.

    Whether an activation is kept changes no number: it is computed again from the same values, by the same kernels.

    Args:
        limit: bytes.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self.used = 0
        self._lock = threading.RLock()  # a release may come in the middle of the same thread's request

    def keep(self, values: Sequence[Tensor]) -> list[Tensor]:
        """The tensors, if there is room for all of them; otherwise as many empty ones."""
        size = sum(value.numel() * value.element_size() for value in values)
        with self._lock:
            room = self.used + size <= self.limit
            self.used += size if room else 0
        if not room:
            return [value.new_empty(0) for value in values]
        # counted until the last reference is gone: after the backward pass of the piece, or with a graph that has none
        weakref.finalize(values[0], self._release, size)
        return list(values)

    def _release(self, size: int) -> None:
        with self._lock:
            self.used -= size


SHARED = Budget()
"""Budget of this process."""
