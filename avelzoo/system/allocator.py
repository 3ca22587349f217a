"""Keeps the memory that training steps take and give back, where the C library would return it every time.

A step's large tensors are mapped anew by glibc for every step, and the system clears each page before it is used again:
on two cores that took as long as a third of the arithmetic. Pages of two megabytes make what remains of it cheaper.
"""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

_MMAP_MAX, _TRIM_THRESHOLD, _TOP_PAD = -4, -1, -2  # malloc.h
_NEVER = -1
_MADV_HUGEPAGE = 14  # sys/mman.h
_HUGE = 2**21
_LARGEST = 2**33


def keep_freed_memory() -> bool:
    """Let this process reuse the memory it frees; the first call does it, for as long as the process lives.

    What is reserved is addresses, not memory: nothing is taken before it is used. Changes nothing on systems other than
    Linux with glibc.

    Returns:
        Whether it was done.
    """
    if sys.platform != "linux":
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
