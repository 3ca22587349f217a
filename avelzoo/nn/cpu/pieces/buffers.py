"""Large tensors that every training step needs again, in the same memory: among freed small ones they find no room."""

from __future__ import annotations

import math
import threading
import weakref
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from avelzoo.system import allocator

_SMALL = 1 << 20
"""Bytes below which a tensor finds room anywhere."""


class Buffers:
    """Hands out memory, and takes it back when the last tensor in it is gone."""

    def __init__(self) -> None:
        self._free: list[np.ndarray] = []
        self._lock = threading.RLock()  # memory may come back in the middle of the same thread's request

    @property
    def free(self) -> list[int]:
        """Bytes of each free buffer."""
        return [buffer.nbytes for buffer in self._free]

    def empty(self, shape: Sequence[int], dtype: torch.dtype) -> Tensor:
        """A tensor whose values are not set; as `torch.empty` if it is small or this process returns freed memory."""
        size = math.prod(shape) * dtype.itemsize
        if size < _SMALL or not allocator.keeps_memory():
            return torch.empty(shape, dtype=dtype)
        buffer = self._taken(size)
        part = buffer[:size]  # an object that ends with the last tensor on it
        weakref.finalize(part, self._back, buffer).atexit = False
        return torch.from_numpy(part).view(dtype).view(shape)

    def _taken(self, size: int) -> np.ndarray:
        """The smallest free buffer, at most half of it unused; otherwise a new one, which replaces smaller ones."""
        with self._lock:
            fitting = [buffer for buffer in self._free if size <= buffer.nbytes <= 2 * size]
            chosen = min(fitting, key=lambda buffer: buffer.nbytes, default=None)
            self._free = [buffer for buffer in self._free if buffer is not chosen and (fitting or buffer.nbytes > size)]
        return torch.empty(size, dtype=torch.uint8).numpy() if chosen is None else chosen

    def _back(self, buffer: np.ndarray) -> None:
        with self._lock:
            self._free.append(buffer)


SHARED = Buffers()
"""Buffers of this process."""
