"""Writing a folder all at once: it appears complete under its name, or not at all."""

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
"""Bytes beyond the files' own that have to be free."""


@contextmanager
def new_folder(
    target: Path, needed: int, *, force: bool = False, advice: str = "choose another disk, or fewer --videos"
) -> Iterator[Path]:
    """A temporary folder beside ``target`` that takes its name when the block ends well.

    An earlier simulation of that name is removed then. With ``force`` a folder with anything else in it is moved aside,
    never deleted.

    Args:
        target: the folder to be.
        needed: bytes that will be written.
        force: whether a folder that is neither empty nor a simulation may be moved aside.
        advice: what to do where there is no space.

    Raises:
        UsageError: there is something else in the folder already.
        StorageError: there is no space or no permission.
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
    """Refuse to begin what cannot be finished.

    Raises:
        StorageError: less than ``needed`` bytes and some spare ones are free.
    """
    free = shutil.disk_usage(folder).free
    if free < needed + SPARE:
        raise StorageError(
            "there is not enough space",
            where=str(folder),
            found=f"{free:,} bytes free",
            expected=f"{needed + SPARE:,} bytes",
            fix=advice,
        )


def nearest_folder(target: Path) -> Path:
    """The lowest folder above ``target`` that exists."""
    return next(folder for folder in target.expanduser().resolve().parents if folder.is_dir())


def leftovers(target: Path) -> list[Path]:
    """Temporary folders of writers of ``target`` that were stopped before they could tidy up."""
    target = target.expanduser().resolve()
    return sorted(target.parent.glob(f".{target.name}.partial-*"))


def _judge(target: Path, force: bool) -> bool:
    """Whether what is at ``target`` may be deleted: nothing, an empty folder, or a simulation and nothing else."""
    if not target.exists():
        return True
    if not target.is_dir():
        raise UsageError("the target is a file", where=str(target), fix="choose another folder")
    present = {path.name for path in target.iterdir()}
    try:
        marker = read_marker(target)
    except DataError:
        marker = None  # nobody knows what is in the folder, so nothing in it may be deleted
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
    """The system's words for why a file could not be written; h5py hides its number in the text."""
    number = error.errno if isinstance(error, OSError) else None
    found = re.search(r"errno = (\d+)", str(error))
    number = number or (int(found[1]) if found else None)
    return os.strerror(number).lower() if number else None


def _no_storage(target: Path, needed: int, reason: str) -> StorageError:
    return StorageError(
        f"the folder cannot be written: {reason}",
        where=str(target),
        found=f"{shutil.disk_usage(nearest_folder(target)).free:,} bytes free",
        expected=f"a place that can be written, with {needed + SPARE:,} bytes free",
        fix="choose another folder; nothing was left behind",
    )
