"""Speed of matrix products on a device, by type of the factors.

The products are those of a linear layer: its output X W', the gradient of its input G W, and the gradient of its
weights G' X.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

Shape = tuple[int, int, int]

ENCODER: tuple[Shape, ...] = ((1536, 512, 256), (1536, 256, 768), (1536, 256, 1024), (1536, 1024, 256))
"""Rows, input and output channels of the paper's spatial encoder, as its CPU layers process them: projection of the
features, projections of the attention, both layers of the feed-forward part."""

SQUARE: tuple[Shape, ...] = ((2048, 2048, 2048),)
"""Large enough for the highest speed of most devices."""

_TRIAL: Shape = (64, 256, 256)
_TURNS = 3
"""Turns over all products that fit into the time, about."""
_FINE = 1e-5
"""Resolution in seconds of a clock that can measure one product."""
_UNDISTURBED = 0.7
"""Share of the time that each thread works on a quiet machine, at least."""


def product_speeds(
    device: torch.device,
    dtypes: Sequence[torch.dtype],
    *,
    shapes: Sequence[Shape] = ENCODER,
    seconds: float = 0.4,
) -> dict[torch.dtype, float]:
    """FLOP/s of matrix products by type, with the present number of threads.

    The types take turns, and the shortest time of every product counts. On a CPU, this is the CPU time of this process
    per thread. So other programs change the speeds little, and their ratios less. If they take cores from several
    threads, one thread is measured instead and counts for each.

    Args:
        device: where.
        dtypes: types of the factors.
        shapes: rows, input channels and output channels of each layer.
        seconds: time after which no further product begins (twice if one thread is measured, too). Layers have fewer
            rows on slow devices; products not reached by then do not count.

    >>> import torch
    >>> speeds = product_speeds(torch.device("cpu"), [torch.float32], shapes=[(8, 8, 8)], seconds=0.01)
    >>> speeds[torch.float32] > 0
    True
    """
    import torch

    threads = torch.get_num_threads()
    wall, cpu = time.perf_counter(), time.process_time()
    speeds = _measured(device, dtypes, shapes, seconds)
    worked = (time.process_time() - cpu) / threads
    if device.type == "cuda" or threads == 1 or worked > _UNDISTURBED * (time.perf_counter() - wall):
        return speeds
    torch.set_num_threads(1)
    try:
        one = _measured(device, dtypes, shapes, seconds)
    finally:
        torch.set_num_threads(threads)
    return {dtype: threads * speed for dtype, speed in one.items()}


def _measured(
    device: torch.device, dtypes: Sequence[torch.dtype], shapes: Sequence[Shape], seconds: float
) -> dict[torch.dtype, float]:
    import torch

    began = time.perf_counter()
    timed = _timer(device)
    with torch.inference_mode(), torch.autocast(device.type, enabled=False):
        trials = (_products([_TRIAL], dtype, device) for dtype in dtypes)
        pace = sum(min(timed(one) for _ in range(3)) for products in trials for one in products)
        part = seconds / (_TURNS + 1) / max(pace * _flops(shapes) / _flops([_TRIAL]), 1e-9)
        shapes = [(max(_TRIAL[0], int(rows * min(1.0, part))), inputs, outputs) for rows, inputs, outputs in shapes]
        products = {dtype: _products(shapes, dtype, device) for dtype in dtypes}
        best: dict[torch.dtype, list[float]] = {dtype: [] for dtype in dtypes}
        for i in count():
            place = i % (3 * len(shapes))
            for dtype in dtypes:
                product = products[dtype][place]
                if place == i:  # the first call prepares the kernel
                    product()
                    best[dtype].append(timed(product))
                else:
                    best[dtype][place] = min(best[dtype][place], timed(product))
            if time.perf_counter() - began > seconds:
                break
    reached = len(best[dtypes[0]])
    flops = sum(_flops([shapes[place // 3]]) / 3 for place in range(reached))
    return {dtype: flops / max(sum(times), 1e-9) for dtype, times in best.items()}


def _products(shapes: Sequence[Shape], dtype: torch.dtype, device: torch.device) -> list[Callable[[], Any]]:
    """The three products of every layer."""
    import torch

    found: list[Callable[[], Any]] = []
    for rows, inputs, outputs in shapes:
        x, w, g = (
            torch.full(size, 0.5, dtype=dtype, device=device)  # not random: the generators belong to the run
            for size in ((rows, inputs), (outputs, inputs), (rows, outputs))
        )
        found += [partial(torch.matmul, a, b) for a, b in ((x, w.t()), (g, w), (g.t(), x))]
    return found


def _flops(shapes: Sequence[Shape]) -> int:
    return sum(3 * 2 * rows * inputs * outputs for rows, inputs, outputs in shapes)


def _timer(device: torch.device) -> Callable[[Callable[[], Any]], float]:
    """A function that measures the seconds of a call."""
    import torch

    if device.type == "cuda":

        def synchronised(action: Callable[[], Any]) -> float:
            torch.cuda.synchronize(device)
            begun = time.perf_counter()
            action()
            torch.cuda.synchronize(device)
            return time.perf_counter() - begun

        return synchronised
    fine = time.get_clock_info("process_time").resolution < _FINE
    clock, threads = (time.process_time, torch.get_num_threads()) if fine else (time.perf_counter, 1)

    def timed(action: Callable[[], Any]) -> float:
        begun = clock()
        action()
        return (clock() - begun) / threads

    return timed
