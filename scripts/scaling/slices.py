"""A bank read in slices under a memory limit: time of a reading with its gradient, and peak memory."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import Any

from avelzoo.plugin.default import default_host
from avelzoo.system.memory import memory_mb, rss_mb
from scaling.units import SLOTS, filled

CASES = ((64, 0), (64, 200), (64, 50), (1000, 200))
"""Categories, and MiB of a slice; 0 encodes all slots at once."""


def measured(categories: int, slice_mb: int) -> dict[str, Any]:
    """One case; call it in a fresh process, because it reads the process's peak."""
    recipe = default_host().registry.get("recipe", "ead-b").target("full")
    memory = replace(recipe.memory, slice_mb=slice_mb)
    model = filled(replace(recipe, memory=memory), categories).train()
    before, began = rss_mb(os.getpid()), time.perf_counter()
    view = model.view()
    assert view is not None
    view.items.sum().backward()
    took, peak = time.perf_counter() - began, memory_mb() or 0.0
    return {
        "categories": categories,
        "slots": categories * SLOTS,
        "slice_mb": slice_mb,
        "seconds": took,
        "stored_mb": sum(b.numel() * b.element_size() for b in model.memory.buffers()) / 2**20,
        "extra_mb": peak - before,
    }
