"""Reuse of freed memory between training steps, instead of returning it to the system after each.

By default, glibc maps large tensors anew in every step, and the system clears each page: on two cores this took as long
as a third of the arithmetic. Pages of 2 MiB make the remaining page faults cheaper.

The setting holds for the whole process and cannot be undone, so the library does not change it by itself. The command
line sets it for itself and its processes, unless the environment variable ``AVELZOO_ALLOCATOR`` forbids it.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from contextlib import suppress

from avelzoo.errors import UsageError

_MMAP_MAX, _TRIM_THRESHOLD, _TOP_PAD, _ARENA_MAX = -4, -1, -2, -8  # malloc.h
_NEVER = -1
_MADV_HUGEPAGE = 14  # sys/mman.h
_HUGE = 2**21
_LARGEST = 2**33
SWITCH = "AVELZOO_ALLOCATOR"
"""Environment variable: ``keep``, or ``system`` to leave the C library's allocator as it is."""

_KEPT = threading.Event()
"""Set once the setting was made."""


def ask_to_keep_memory() -> None:
    """Set `SWITCH` to ``keep`` for this process and its child processes, unless it is set."""
    os.environ.setdefault(SWITCH, "keep")


def keep_freed_memory(device: str = "cpu") -> bool:
    """Make this process reuse freed memory until it ends, if `SWITCH` is ``keep``.

    Only addresses are reserved, not memory. This has no effect on systems other than Linux with glibc, or for
    computation on a GPU.

    Args:
        device: device of the computation: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.

    Returns:
        Whether the setting was made.

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
        # one arena: those of other threads would return their memory, and keep it from each other
        for option, value in ((_ARENA_MAX, 1), (_MMAP_MAX, 0), (_TRIM_THRESHOLD, _NEVER), (_TOP_PAD, 2**26)):
            if not libc.mallopt(option, value):
                return False
        _reserve(libc)
        _KEPT.set()
        return True
    return False


def keeps_memory() -> bool:
    """Whether this process keeps freed memory (`keep_freed_memory`)."""
    return _KEPT.is_set()


def _on_gpu(device: str) -> bool:
    if device != "auto":
        return device.startswith("cuda")
    from torch import cuda

    return cuda.is_available()


def _reserve(libc: ctypes.CDLL) -> None:
    """Mark addresses at the end of the heap for large pages."""
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
