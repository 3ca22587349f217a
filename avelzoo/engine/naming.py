"""Run folders that are named here: each process gets one that no other has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from avelzoo.engine.parallel.rank import find_rank, is_first
from avelzoo.system.files import storage_error

RUNS = Path("runs")


@contextmanager
def new_folder(name: str) -> Iterator[Path]:
    """Make a folder ``runs/NAME``, or ``runs/NAME-2``, ``runs/NAME-3``, ... where that exists.

    Making a folder succeeds in one process alone, so runs that start at the same time get different folders. A folder
    that is still empty at the end is removed. Of several processes that share a run, only the first makes one.

    Raises:
        StorageError: the folder cannot be made.
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
        except OSError as error:  # also where it is a file
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
