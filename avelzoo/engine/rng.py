"""Random generators and deterministic arithmetic, for reproducible runs."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from avelzoo.system.isolation import deterministic, seed_all, set_deterministic

Generators = tuple[dict[str, Tensor], dict[str, Any]]
"""State of all global generators: tensors and plain data."""


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed all global generators; on a CPU, torch refuses non-deterministic operations.

    Afterwards generators and settings are restored, so a caller's random numbers do not depend on the run.
    """
    before = capture(device)
    mode = deterministic()
    filling = torch.utils.deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    seed_all(seed, device)
    try:
        if device.type == "cpu":
            set_deterministic((True, False))
            torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
        yield
    finally:
        torch.utils.deterministic.fill_uninitialized_memory = filling  # type: ignore[attr-defined]
        set_deterministic(mode)
        restore(before, device)


@contextmanager
def rng_preserved(device: torch.device) -> Iterator[None]:
    """Restore all global generators after the block, so that later random numbers do not change."""
    before = capture(device)
    try:
        yield
    finally:
        restore(before, device)


def capture(device: torch.device) -> Generators:
    """The state of torch's, numpy's and Python's global generators."""
    tensors = {"torch": torch.get_rng_state()}
    if device.type == "cuda":
        tensors["cuda"] = torch.cuda.get_rng_state(device)
    kind, keys, position, has_gauss, gauss = np.random.get_state()  # noqa: NPY002
    version, inner, next_gauss = random.getstate()
    plain = {
        "numpy": [kind, [int(key) for key in keys], int(position), int(has_gauss), float(gauss)],
        "python": [version, list(inner), next_gauss],
    }
    return tensors, plain


def restore(state: Generators | tuple[Mapping[str, Tensor], Mapping[str, Any]], device: torch.device) -> None:
    """Inverse of ``capture``. A state from another kind of device does not change this device's generator."""
    tensors, plain = state
    torch.set_rng_state(tensors["torch"])
    if device.type == "cuda" and "cuda" in tensors:
        torch.cuda.set_rng_state(tensors["cuda"], device)
    np.random.set_state(tuple(plain["numpy"]))  # noqa: NPY002
    version, inner, next_gauss = plain["python"]
    random.setstate((version, tuple(inner), next_gauss))
