"""Atomic writing of folders: a folder appears under its name only when it is complete."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from avelzoo.data.reading.layout import MARKER, read_marker
from avelzoo.errors import DataError, StorageError, UsageError

SPARE = 16 << 20
"""Free bytes required in addition to the files' sizes."""


@contextmanager
def new_folder(
    target: Path, needed: int, *, force: bool = False, advice: str = "choose another disk, or fewer --videos"
) -> Iterator[Path]:
    """Provide a temporary folder beside ``target``, renamed to ``target`` when the block succeeds.

    An earlier simulation at ``target`` is then removed. With ``force``, a folder with other content is moved aside,
    never deleted.

    Args:
        target: the folder to create.
        needed: bytes that will be written.
        force: whether to move aside a folder that is neither empty nor a simulation.
        advice: remedy when space is short.

    Raises:
        UsageError: the folder already holds other files.
        StorageError: no space or no permission.
    """
    target = target.expanduser().resolve()
    replaceable = _judge(target, force)
    draft = target.parent / f".{target.name}.partial-{os.getpid()}"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        need_space(target.parent, needed, advice)
        if draft.exists():
            shutil.rmtree(draft)
        draft.mkdir()
        yield draft
        _swap(draft, target, replaceable)
    except (OSError, RuntimeError) as error:
        reason = _reason(error)
        if reason is None:
            raise
        raise _no_storage(target, needed, reason) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def need_space(folder: Path, needed: int, advice: str = "choose another disk, or fewer --videos") -> None:
    """Check free space before writing.

    Raises:
        StorageError: fewer than ``needed`` + `SPARE` bytes are free.
    """
    free = shutil.disk_usage(folder).free
    if free < needed + SPARE:
        raise StorageError(
            "not enough free space",
            where=str(folder),
            found=f"{free:,} bytes free",
            expected=f"{needed + SPARE:,} bytes",
            fix=advice,
        )


def nearest_folder(target: Path) -> Path:
    """Nearest existing parent folder of ``target``."""
    return next(folder for folder in target.expanduser().resolve().parents if folder.is_dir())


def leftovers(target: Path) -> list[Path]:
    """Temporary folders left by interrupted writers of ``target``."""
    target = target.expanduser().resolve()
    return sorted(target.parent.glob(f".{target.name}.partial-*"))


def _judge(target: Path, force: bool) -> bool:
    """Whether ``target`` may be replaced: it does not exist, is empty, or holds only a simulation."""
    if not target.exists():
        return True
    if not target.is_dir():
        raise UsageError("the target is a file", where=str(target), fix="choose another folder")
    present = {path.name for path in target.iterdir()}
    try:
        marker = read_marker(target)
    except DataError:
        marker = None  # the folder's content is unknown, so nothing in it may be deleted
    if not present or (marker is not None and present <= {MARKER, *marker.get("files", {})}):
        return True
    if not force:
        raise UsageError(
            "the folder holds other files",
            where=str(target),
            found=", ".join(sorted(present)[:5]) + (f" and {len(present) - 5} more" if len(present) > 5 else ""),
            expected="a new or empty folder, or an earlier simulation",
            fix="choose another folder, or move this one aside with --force",
        )
    return False


def _swap(draft: Path, target: Path, replaceable: bool) -> None:
    old = None
    if target.exists():
        old = _free_name(target, "replaced")
        target.rename(old)
    try:
        draft.rename(target)
    except OSError:
        if old is not None:
            old.rename(target)
        raise
    if old is not None and replaceable:
        shutil.rmtree(old, ignore_errors=True)


def _free_name(target: Path, word: str) -> Path:
    return next(path for i in count(1) if not (path := target.with_name(f"{target.name}.{word}-{i}")).exists())


def _reason(error: BaseException) -> str | None:
    """The system's reason why a file could not be written; h5py states the error number only in its text."""
    number = error.errno if isinstance(error, OSError) else None
    found = re.search(r"errno = (\d+)", str(error))
    number = number or (int(found[1]) if found else None)
    return os.strerror(number).lower() if number else None


def _no_storage(target: Path, needed: int, reason: str) -> StorageError:
    return StorageError(
        f"cannot write the folder: {reason}",
        where=str(target),
        found=f"{shutil.disk_usage(nearest_folder(target)).free:,} bytes free",
        expected=f"a writable folder with {needed + SPARE:,} bytes free",
        fix="choose another folder; no partial files remain",
    )
