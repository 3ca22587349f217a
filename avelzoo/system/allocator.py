"""Keeps the memory that training steps take and give back, where the C library would return it every time.

A step's large tensors are mapped anew by glibc for every step, and the system clears each page before it is used again:
on two cores that took as long as a third of the arithmetic. Pages of two megabytes make what remains of it cheaper.

The setting holds for the process and cannot be undone, so the library never makes it unasked. The command line asks for
it, for itself and the processes it starts, by the environment variable ``AVELZOO_ALLOCATOR``, which can also forbid it.
"""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import suppress

from avelzoo.errors import UsageError

_MMAP_MAX, _TRIM_THRESHOLD, _TOP_PAD = -4, -1, -2  # malloc.h
_NEVER = -1
_MADV_HUGEPAGE = 14  # sys/mman.h
_HUGE = 2**21
_LARGEST = 2**33
SWITCH = "AVELZOO_ALLOCATOR"
"""Environment variable: ``keep``, or ``system`` to leave the C library's allocator as it is."""


def ask_to_keep_memory() -> None:
    """Set `SWITCH` to ``keep`` for this process and those it starts, where it is not set."""
    os.environ.setdefault(SWITCH, "keep")


def keep_freed_memory(device: str = "cpu") -> bool:
    """Let this process reuse the memory it frees, where `SWITCH` is ``keep``; for as long as the process lives.

    Only addresses are reserved, not memory: nothing is taken before it is used. Changes nothing on systems other than
    Linux with glibc, and nothing for work on a GPU.

    Args:
        device: where the process will compute: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.

    Returns:
        Whether it was done.

    Raises:
        UsageError: `SWITCH` has another value.
    """
    wanted = os.environ.get(SWITCH, "system")
    if wanted not in ("keep", "system"):
        raise UsageError(f"unknown value of {SWITCH}", found=wanted, expected="keep or system")
    if wanted == "system" or sys.platform != "linux" or _on_gpu(device):
        return False
    with suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None)
        libc.gnu_get_libc_version  # noqa: B018, others have no such function, and another malloc
        for option, value in ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, _NEVER), (_TOP_PAD, 2**26)):
            if not libc.mallopt(option, value):
                return False
        _reserve(libc)
        return True
    return False


def _on_gpu(device: str) -> bool:
    if device != "auto":
        return device.startswith("cuda")
    from torch import cuda

    return cuda.is_available()


def _reserve(libc: ctypes.CDLL) -> None:
    """Addresses at the heap's end whose pages are large when they come to be used."""
    libc.malloc.restype = ctypes.c_void_p
    libc.malloc.argtypes = [ctypes.c_size_t]
    libc.free.argtypes = [ctypes.c_void_p]
    libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    size = _LARGEST
    while size >= 2**28:
        block = libc.malloc(size)
        if block:
            first = -(-block // _HUGE) * _HUGE
            libc.madvise(first, size - (first - block), _MADV_HUGEPAGE)
            libc.free(block)
            return
        size //= 2
