"""Where the time of a training step goes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

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

    def around(self, name: str, action: Callable[..., Any]) -> Callable[..., Any]:
        """The same action, counted."""

        def counted(*args: Any, **kwargs: Any) -> Any:
            with self.part(name):
                return action(*args, **kwargs)

        return counted

    @contextmanager
    def watching(self, model: Model) -> Iterator[None]:
        """Count the model's parts; the encoder's work for the memory counts as the memory's encoding."""
        encoder, memory = model.encoder, model.memory
        encode = encoder.forward

        def encoding(*args: Any) -> Any:
            with self.part("memory encoding" if "memory" in self._open else "encoder"):
                return encode(*args)

        watched: list[tuple[Any, str, Callable[..., Any]]] = [
            (encoder, "forward", encoding),
            (memory, "observe", self.around("memory", memory.observe)),
            (memory, "read", self.around("memory", memory.read)),
            (model.head, "forward", self.around("head", model.head.forward)),
            (model.objective, "forward", self.around("objective", model.objective.forward)),
        ]
        own = [vars(owner).get(name) for owner, name, _ in watched]  # a compiled encoder has its forward here
        for owner, name, action in watched:
            setattr(owner, name, action)
        try:
            yield
        finally:
            for (owner, name, _), before in zip(watched, own, strict=True):
                delattr(owner, name)  # the class's own method shows again
                if before is not None:
                    setattr(owner, name, before)

    def _turn(self) -> None:
        """The time until now belongs to the part that is open."""
        self._wait()
        now = time.perf_counter()
        if self._open:
            name = self._open[-1]
            self.seconds[name] = self.seconds.get(name, 0.0) + now - self._since
        self._since = now


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
