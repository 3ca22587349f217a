"""Atomic writing of folders: a folder appears under its name only when it is complete."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from avelzoo.data.reading.layout import MARKER, read_marker
from avelzoo.errors import DataError, StorageError, UsageError, reason, some, system_number
from avelzoo.system.files import whole_folder

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
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        need_space(target.parent, needed, advice)
        with whole_folder(target, keep_old=not replaceable) as draft:
            yield draft
    except (OSError, RuntimeError) as error:
        if system_number(error) is None:
            raise
        raise _no_storage(target, needed, reason(error)) from error


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
            found=some(sorted(present), 5),
            expected="a new or empty folder, or an earlier simulation",
            fix="choose another folder, or move this one aside with --force",
        )
    return False


def _no_storage(target: Path, needed: int, why: str) -> StorageError:
    return StorageError(
        f"cannot write the folder: {why}",
        where=str(target),
        found=f"{shutil.disk_usage(nearest_folder(target)).free:,} bytes free",
        expected=f"a writable folder with {needed + SPARE:,} bytes free",
        fix="choose another folder; no partial files remain",
    )
