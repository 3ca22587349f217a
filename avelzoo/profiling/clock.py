"""Time of a training step by part."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from avelzoo.composition.model import Model


class Clock:
    """Seconds by part, without the time of nested parts.

    Args:
        device: whose work is waited for at every reading.
    """

    def __init__(self, device: torch.device) -> None:
        self.seconds: dict[str, float] = {}
        self._wait = torch.cuda.synchronize if device.type == "cuda" else _nothing
        self._open: list[str] = []
        self._since = 0.0

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count the time of the block for this part."""
        self._turn()
        self._open.append(name)
        try:
            yield
        finally:
            self._turn()
            self._open.pop()

    @contextmanager
    def watching(self, model: Model) -> Iterator[None]:
        """Measure the parts of the model; encoding the memory is a part of its own."""
        names = ("encoder", "memory", "head", "objective")
        own = {name: getattr(model, name) for name in names}
        for name, part in own.items():
            setattr(model, name, (_TimedMemory if name == "memory" else _Timed)(self, name, part))
        try:
            yield
        finally:
            for name, part in own.items():
                setattr(model, name, part)

    def is_open(self, name: str) -> bool:
        """Whether this part, or one nested in it, is being measured."""
        return name in self._open

    def _turn(self) -> None:
        """Count the time until now for the innermost open part."""
        self._wait()
        now = time.perf_counter()
        if self._open:
            name = self._open[-1]
            self.seconds[name] = self.seconds.get(name, 0.0) + now - self._since
        self._since = now


class _Timed(nn.Module):
    """Wrapper of a part that measures its calls; all other attributes are those of the part."""

    def __init__(self, clock: Clock, name: str, part: nn.Module) -> None:
        super().__init__()
        self._clock, self._name = clock, name
        self.part: Any = part

    def forward(self, *args: Any) -> Any:
        name = "memory encoding" if self._name == "encoder" and self._clock.is_open("memory") else self._name
        with self._clock.part(name):
            return self.part(*args)

    def __getattr__(self, name: str) -> Any:
        return getattr(super().__getattr__("part"), name) if name != "part" else super().__getattr__(name)


class _TimedMemory(_Timed):
    """Wrapper of a memory, which has no ``forward``, that measures its methods."""

    def observe(self, *args: Any) -> Any:
        with self._clock.part(self._name):
            return self.part.observe(*args)

    def read(self, *args: Any) -> Any:
        with self._clock.part(self._name):
            return self.part.read(*args)


def _nothing() -> None:
    """Do nothing: on a CPU, the work is done when a call returns."""
