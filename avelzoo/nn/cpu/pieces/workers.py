"""Pieces in several threads: each thread computes whole pieces, so operations need not wait for each other's ends."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch
from torch.autograd import profiler
from torch.utils._python_dispatch import _get_current_dispatch_mode as dispatch_mode

Part = TypeVar("Part")
Result = TypeVar("Result")

_LOCK = threading.Lock()
_POOLS: dict[int, ThreadPoolExecutor] = {}


def in_threads(work: Callable[[Part], Result], parts: Sequence[Part]) -> list[Result]:
    """Do each part in the next of PyTorch's threads that is free.

    Modes that see operations only in their own thread, such as profilers, get all parts in this one.

    Args:
        work: called without gradients and autocast.
        parts: in order.

    Returns:
        The results, by part.
    """
    threads = torch.get_num_threads()
    if min(threads, len(parts)) < 2 or profiler._is_profiler_enabled or dispatch_mode() is not None:  # noqa: SLF001
        return [work(part) for part in parts]
    inference = torch.is_inference_mode_enabled()

    def job(part: Part) -> Result:
        with torch.inference_mode(inference), torch.no_grad():
            return work(part)

    return list(_pool(threads).map(job, parts))


def shared_out(parts: Sequence[Part]) -> list[Sequence[Part]]:
    """The parts of each thread, whose results are summed: the division is fixed, so sums are the same in every run."""
    count = min(torch.get_num_threads(), len(parts))
    return [parts[first::count] for first in range(count)]


def _pool(threads: int) -> ThreadPoolExecutor:
    """Threads whose operations run in themselves alone."""
    with _LOCK:
        if threads not in _POOLS:
            pool = _POOLS[threads] = ThreadPoolExecutor(threads, "pieces", _alone)
            together = threading.Barrier(threads)
            list(pool.map(lambda _: together.wait(), range(threads)))
            # the number is that of the calling thread, and of threads that start later
            torch.set_num_threads(threads)
        return _POOLS[threads]


def _alone() -> None:
    """Have operations of this thread use no other thread."""
    torch.get_num_threads()  # the first call of a thread takes over the process's number, and would undo the next line
    torch.set_num_threads(1)


os.register_at_fork(after_in_child=_POOLS.clear)  # threads do not survive a fork
