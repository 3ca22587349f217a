"""Automatic names of run folders, unique across processes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from avelzoo.engine.parallel.rank import find_rank, is_first
from avelzoo.system.files import storage_error

RUNS = Path("runs")


@contextmanager
def new_folder(name: str) -> Iterator[Path]:
    """Create a folder ``runs/NAME``, or ``runs/NAME-2``, ``runs/NAME-3``, ... if it exists.

    Creating a folder succeeds in only one process, so runs that start at the same time get different folders. A folder
    that is still empty at the end is removed. In a run of several processes, only rank 0 creates a folder.

    Raises:
        StorageError: the folder cannot be created.
    """
    if not is_first(find_rank()):
        yield RUNS / name
        return
    made = not RUNS.exists()
    folder = _make(name)
    try:
        yield folder
    finally:
        with suppress(OSError):  # it holds a run
            folder.rmdir()
        with suppress(OSError):
            if made:
                RUNS.rmdir()


def _make(name: str) -> Path:
    number = 1
    while True:
        folder = RUNS / (name if number == 1 else f"{name}-{number}")
        try:
            RUNS.mkdir(exist_ok=True)
        except OSError as error:  # also if RUNS is a file
            raise storage_error(error, RUNS) from error
        try:
            folder.mkdir()
        except FileExistsError:
            number += 1
        except FileNotFoundError:  # another process has just removed RUNS
            continue
        except OSError as error:
            raise storage_error(error, folder) from error
        else:
            return folder
