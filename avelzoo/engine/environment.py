"""Where a run computes, and how it is made repeatable."""

from __future__ import annotations

import platform
import random
import resource
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Literal, cast

import numpy as np
import torch
from lightning_fabric import Fabric

from avelzoo.errors import UsageError
from avelzoo.registry import Entry
from avelzoo.version import __version__

_PRECISIONS = {"32": "32-true", "64": "64-true"}


def make_fabric(device: str, precision: str) -> Fabric:
    """Device and number format.

    Raises:
        UsageError: there is no such device here.
    """
    if device not in ("auto", "cpu", "cuda"):
        raise UsageError(f"unknown device '{device}'", expected="auto, cpu or cuda")
    if device == "cuda" and not torch.cuda.is_available():
        raise UsageError("there is no CUDA device here", fix="use --device cpu, or auto to take what there is")
    chosen = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    name = cast("Literal['32-true']", _PRECISIONS.get(precision, precision))
    return Fabric(accelerator=chosen, devices=1, precision=name)


def seed_everything(seed: int) -> None:
    """Seed every generator a component may draw from."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002, plugins may use the global generator
    torch.manual_seed(seed)


@contextmanager
def deterministic(device: torch.device) -> Iterator[None]:
    """Only algorithms that repeat bit for bit, on a CPU; on other devices what torch offers."""
    before, warned = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(device.type == "cpu")
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=warned)


def versions(entries: Mapping[str, Entry]) -> dict[str, str]:
    """Versions of what a run depends on."""
    found = {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "avelzoo": __version__,
    }
    plugins = {e.distribution or e.plugin: e.version for e in entries.values() if e.plugin != "avelzoo"}
    return found | plugins


def peak_memory_mb(device: torch.device) -> float:
    """Most memory held so far, in MiB: the device's on a GPU, else the process's."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    scale = 2**20 if sys.platform == "darwin" else 2**10  # macOS reports bytes, Linux kibibytes
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale


def device_name(device: torch.device) -> str:
    """The device in words."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)
