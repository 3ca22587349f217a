"""Atomic writing of files, and reading with clear errors."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

from avelzoo.errors import FULL, RunError, StorageError, reason, system_number

SCRATCH = ".partial"
"""Ends the name of the folder in which a file is made. A folder, as libraries put scratch files beside the file."""


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Write a file with ``write``, flush it to disk, and move it to ``path`` atomically.

    Whoever reads ``path`` sees the old file or the new one, also after a kill or a power cut.

    Raises:
        StorageError: no space, no permission, no such folder. The old file, if any, is as it was.
    """
    room = path.with_name(f".{path.name}{SCRATCH}")
    scratch = room / path.name
    try:
        room.mkdir(exist_ok=True)
        scratch.touch()
        mode = scratch.stat().st_mode
        write(scratch)
        scratch.chmod(mode)  # safetensors makes files that nobody else may read
        _flush(scratch)
        scratch.replace(path)
        with suppress(OSError):  # not every file system can flush a folder
            _flush(path.parent)
    except _write_errors() as error:
        raise storage_error(error, path) from error
    finally:
        shutil.rmtree(room, ignore_errors=True)


@contextmanager
def whole_folder(target: Path, *, keep_old: bool = False) -> Iterator[Path]:
    """Temporary folder beside ``target``: renamed to it if the block succeeds, removed if it fails.

    Args:
        target: the folder to be; its parent is made.
        keep_old: an earlier folder of that name is renamed to ``NAME.replaced-1`` or the next free number, not removed.

    Raises:
        OSError: no space, no permission. An earlier folder is as it was.
    """
    draft = target.parent / f".{target.name}{SCRATCH}-{os.getpid()}"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if draft.exists():
            shutil.rmtree(draft)
        draft.mkdir()
        yield draft
        _swap(draft, target, keep_old)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def leftovers(target: Path) -> list[Path]:
    """Temporary folders that killed writers of ``target`` left."""
    target = target.expanduser().resolve()
    return sorted(target.parent.glob(f".{target.name}{SCRATCH}-*"))


def _swap(draft: Path, target: Path, keep_old: bool) -> None:
    old = None
    if target.exists():
        free = (target.with_name(f"{target.name}.replaced-{i}") for i in count(1))
        old = target.rename(next(path for path in free if not path.exists()))
    try:
        draft.rename(target)
    except OSError:
        if old is not None:
            old.rename(target)
        raise
    if old is not None and not keep_old:
        shutil.rmtree(old, ignore_errors=True)


def clear_scratch(folder: Path) -> None:
    """Remove incomplete files that killed processes left."""
    for room in folder.glob(f".*{SCRATCH}"):
        shutil.rmtree(room)


def make_folder(path: Path) -> None:
    """Create a folder and its parents.

    Raises:
        StorageError: it cannot be created.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(error, path) from error


def write_bytes(path: Path, content: bytes | memoryview) -> None:
    """Write bytes atomically."""

    def write(scratch: Path) -> None:
        scratch.write_bytes(content)

    write_whole(path, write)


def write_json(path: Path, data: Any) -> None:
    """Write plain data as JSON, atomically."""
    write_bytes(path, (json.dumps(data, indent=2, allow_nan=False) + "\n").encode())


def write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write one JSON object per line, atomically."""
    write_bytes(path, "".join(json.dumps(row, allow_nan=False) + "\n" for row in rows).encode())


DAMAGED = "restore the file from a copy, or train again"


def read_json(folder: Path, name: str) -> dict[str, Any]:
    """Read a JSON object of a run folder.

    Raises:
        RunError: there is no such folder or file, or it is damaged.
    """
    path = folder / name
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise RunError(
            f"'{folder}' is not a folder of an avelzoo run" if folder.is_dir() else f"there is no folder '{folder}'",
            expected=f"a folder with {name}",
            fix="name a folder that `avelzoo run` made",
        ) from None
    except OSError as error:
        raise RunError(
            f"{name} cannot be read", where=str(path), found=error.strerror or str(error), fix="check its permissions"
        ) from error
    except ValueError as error:
        place = f"line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise RunError(
            f"{name} is damaged: it is not complete JSON text", where=", ".join(filter(None, (str(path), place))),
            fix=DAMAGED,
        ) from error  # fmt: skip
    if not isinstance(data, dict):
        raise RunError(
            f"{name} is damaged", where=str(path), found=type(data).__name__, expected="an object", fix=DAMAGED
        )
    return data


def _write_errors() -> tuple[type[Exception], ...]:
    """Errors of a failed write. safetensors raises its own, which exists only if it is loaded."""
    loaded = sys.modules.get("safetensors")
    return (OSError,) if loaded is None else (OSError, loaded.SafetensorError)


def storage_error(error: Exception, path: Path) -> StorageError:
    """Advice to the user for a failed write."""
    if system_number(error) in FULL:
        return StorageError(
            "there is no space left to write a file",
            where=str(path),
            found=reason(error),
            fix="free some space and repeat the command, or choose another folder",
        )
    return StorageError(
        "a file cannot be written",
        where=str(path),
        found=reason(error),
        fix="choose a folder that you may write to",
    )


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
