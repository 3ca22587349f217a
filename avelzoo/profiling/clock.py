"""Where the time of a training step goes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from avelzoo.composition.model import Model


class Clock:
    """Seconds by part, each without what other parts took inside it.

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
        """Count what happens inside to this part."""
        self._turn()
        self._open.append(name)
        try:
            yield
        finally:
            self._turn()
            self._open.pop()

    @contextmanager
    def watching(self, model: Model) -> Iterator[None]:
        """Count the model's parts; the encoder's work for the memory counts as the memory's encoding."""
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
        """Whether time is being counted to this part, or to one inside it."""
        return name in self._open

    def _turn(self) -> None:
        """The time until now belongs to the part that is open."""
        self._wait()
        now = time.perf_counter()
        if self._open:
            name = self._open[-1]
            self.seconds[name] = self.seconds.get(name, 0.0) + now - self._since
        self._since = now


class _Timed(nn.Module):
    """Stands in for a part of a model, whose calls it counts; anything else is the part's own."""

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
    """Counts what a memory does, which has no ``forward``."""

    def observe(self, *args: Any) -> Any:
        with self._clock.part(self._name):
            return self.part.observe(*args)

    def read(self, *args: Any) -> Any:
        with self._clock.part(self._name):
            return self.part.read(*args)


def products_per_second(device: torch.device, dtype: torch.dtype, *, size: int = 2048, turns: int = 5) -> float:
    """FLOP/s of square matrix products, the best of some turns: what arithmetic costs at least on this machine.

    Args:
        device: where.
        dtype: of the factors.
        size: rows and columns.
        turns: after one that is not counted.
    """
    clock = Clock(device)
    a, b = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    best = 0.0
    for turn in range(turns + 1):
        clock.seconds.clear()
        with clock.part("product"):
            _ = a @ b
        if turn:
            best = max(best, 2 * size**3 / clock.seconds["product"])
    return best


def _nothing() -> None:
    """A CPU has done its work when a call returns."""
