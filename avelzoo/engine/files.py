"""Writing files whole or not at all, and reading them with a clear word when they are not there."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from avelzoo.errors import RunError, StorageError


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Let ``write`` fill a temporary neighbour, flush it to disk, and put it in the place of ``path`` at once.

    Raises:
        StorageError: no space, no permission, no such folder. The old file, if any, is as it was.
    """
    scratch = path.with_name(f".{path.name}.partial")
    try:
        write(scratch)
        with scratch.open("rb") as handle:
            os.fsync(handle.fileno())
        scratch.replace(path)
    except OSError as error:
        raise storage_error(error, path) from error
    finally:
        scratch.unlink(missing_ok=True)


def write_json(path: Path, data: Any) -> None:
    """Write plain data, whole or not at all."""
    text = json.dumps(data, indent=2, allow_nan=False) + "\n"
    write_whole(path, lambda scratch: _text(scratch, text))


def append_line(path: Path, data: Mapping[str, Any]) -> None:
    """Append one JSON line and flush it to disk."""
    try:
        with path.open("a", encoding="utf-8") as handle:
            handle.write(json.dumps(data, allow_nan=False) + "\n")
            handle.flush()
            os.fsync(handle.fileno())
    except OSError as error:
        raise storage_error(error, path) from error


def read_lines(path: Path) -> list[dict[str, Any]]:
    """All whole JSON lines; a last line that a kill cut short is left out."""
    if not path.exists():
        return []
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            break
    return found


def read_json(folder: Path, name: str) -> dict[str, Any]:
    """A JSON file of a run folder.

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
    except (OSError, ValueError) as error:
        raise RunError(f"{name} cannot be read: {error}", where=str(path)) from error
    if not isinstance(data, dict):
        raise RunError(f"{name} is damaged", where=str(path), found=type(data).__name__, expected="an object")
    return data


def storage_error(error: OSError, path: Path) -> StorageError:
    """What a user can do about a failed write."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return StorageError(
        "the disk is full" if full else f"cannot write: {error.strerror or error}",
        where=str(path),
        fix="free some space, or choose another folder with --out; nothing half-written is left"
        if full
        else "choose a folder that you may write to, with --out",
    )


def _text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
