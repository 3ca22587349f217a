"""Locks that the system releases when the process ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from avelzoo.system.files import storage_error


def lock_file(path: Path, *, shared: bool = False) -> int | None:
    """Handle of a lock that the system releases when the process ends; a missing file is created.

    Returns:
        None if another process has the lock; -1 on systems and file systems without locks.

    Raises:
        StorageError: the file cannot be opened.
    """
    return _lock(path, os.O_RDWR | os.O_CREAT, shared=shared)


def lock_folder(path: Path) -> int | None:
    """As `lock_file`, for an existing folder."""
    return _lock(path, os.O_RDONLY, shared=False)


def _lock(path: Path, flags: int, *, shared: bool) -> int | None:
    if sys.platform == "win32":
        return -1
    import fcntl

    try:
        handle = os.open(path, flags, 0o666)
    except OSError as error:
        raise storage_error(error, path) from error
    try:
        fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    except OSError:  # some network disks cannot lock
        os.close(handle)
        return -1
    return handle


def unlock(handles: Iterable[int | None]) -> None:
    """Release locks of `lock_file`."""
    for handle in handles:
        if handle is not None and handle >= 0:
            os.close(handle)
