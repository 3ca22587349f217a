"""Layers with less memory traffic on CPUs. They compute the same as their plain forms; one switch selects them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor

_enabled: ContextVar[bool] = ContextVar("cpu_layers", default=True)


def cpu_layers(x: Tensor) -> bool:
    """Whether the CPU forms are used: ``x`` is on a CPU, torch is not compiling, `plain_layers` is not active."""
    return x.device.type == "cpu" and not torch.compiler.is_compiling() and _enabled.get()


@contextmanager
def plain_layers() -> Iterator[None]:
    """Use plain torch layers inside the block, for example to count the operations of the mathematics."""
    token = _enabled.set(False)
    try:
        yield
    finally:
        _enabled.reset(token)
