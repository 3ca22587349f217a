"""The fastest matrix products that torch reaches here for the encoder's layers: the arithmetic floor."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

LAYERS = {(512, 256): 1, (256, 256): 3, (256, 768): 1, (256, 1024): 1, (1024, 256): 1}
"""Input and output channels of the spatial encoder's linear layers, and how many there are of each."""
ROWS = (1536, 12288)
"""Rows of a product: a piece that stays in the cache, and one that does not."""


def products(dtype: str, rows: tuple[int, ...] = ROWS, turns: int = 3) -> dict[str, float]:
    """FLOP/s of a linear layer's products, the best of all ways, rows and turns for each layer.

    ``forward`` is X W'; ``backward`` both G W and G' X; ``step`` all three.

    Args:
        dtype: name of the type.
        rows: of X.
        turns: after one that is not counted.
    """
    kind = getattr(torch, dtype)
    work, seconds = 0.0, {"forward": 0.0, "input": 0.0, "weight": 0.0}
    for (inputs, outputs), count in LAYERS.items():
        work += count * 2 * inputs * outputs
        per_row = {name: float("inf") for name in seconds}
        for r in rows:
            x, w, g = (torch.randn(size).to(kind) for size in ((r, inputs), (outputs, inputs), (r, outputs)))
            for name, way in _ways(x, w, g):
                per_row[name] = min(per_row[name], _shortest(way, turns) / r)
        for name, value in per_row.items():
            seconds[name] += count * value
    backward = seconds["input"] + seconds["weight"]
    return {
        "forward": work / seconds["forward"],
        "backward": 2 * work / backward,
        "step": 3 * work / (seconds["forward"] + backward),
    }


def _ways(x: Tensor, w: Tensor, g: Tensor) -> list[tuple[str, Callable[[], Any]]]:
    """Different calls with the same result."""
    y, gx, gw = torch.empty_like(g), torch.empty_like(x), torch.empty_like(w)
    turned = w.t().contiguous()
    return [
        ("forward", lambda: torch.mm(x, w.t(), out=y)),
        ("forward", lambda: torch.mm(x, turned, out=y)),
        ("input", lambda: torch.mm(g, w, out=gx)),
        ("weight", lambda: torch.mm(g.t(), x, out=gw)),
        ("weight", lambda: torch.mm(x.t(), g)),
    ]


def _shortest(way: Callable[[], Any], turns: int) -> float:
    """Seconds; CPU time of a single thread, so that other programs count less."""
    clock = time.thread_time if torch.get_num_threads() == 1 else time.perf_counter
    best = float("inf")
    for turn in range(turns + 1):
        began = clock()
        way()
        if turn:
            best = min(best, clock() - began)
    return best
