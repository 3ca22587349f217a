"""Layers with less memory traffic for CPUs: the same mathematics as their plain forms, behind one switch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor

_enabled: ContextVar[bool] = ContextVar("cpu_layers", default=True)


def cpu_layers(x: Tensor) -> bool:
    """Whether ``x`` goes through the CPU forms: it is on a CPU, torch compiles nothing, `plain_layers` is not on."""
    return x.device.type == "cpu" and not torch.compiler.is_compiling() and _enabled.get()


@contextmanager
def plain_layers() -> Iterator[None]:
    """Within this context all layers are plain torch, as for counting the operations that the mathematics needs."""
    token = _enabled.set(False)
    try:
        yield
    finally:
        _enabled.reset(token)
