"""Opening of HDF5 files for reading, and diagnosis of files that do not open."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import h5py

from avelzoo.errors import DataError, first_line, reason

_ALONE = ("best-effort", False, True)
_TOGETHER = (None,)  # HDF5's own: with other locking, HDF5 before 2.0 gives zeros for files that it opens itself
_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_USER_BLOCK = 1 << 16  # the signature follows a user block: 0, 512, 1024, 2048, ... bytes
_FETCH = "fetch or copy the file again"
_KINDS: tuple[tuple[bytes, str, str], ...] = (
    (b"version https://git-lfs", "a Git LFS pointer instead of the file", "fetch the file itself (`git lfs pull`)"),
    (b"<", "a web page instead of the file", "fetch the file itself; large downloads often need a confirmation"),
    (b"PK\x03\x04", "a zip archive", "unpack it"),
    (b"\x1f\x8b", "a gzip archive", "unpack it"),
    (b"\x93NUMPY", "a NumPy file", "write the array into an HDF5 file with h5py"),
    (b"MATLAB", "a MATLAB file", "write the array into an HDF5 file with h5py"),
    (b"\0" * 16, "zeros instead of the first bytes, as in an unfinished download", _FETCH),
)


class _OtherLockingError(Exception):
    """This program has the file open with a different locking mode."""


@contextmanager
def open_files(*paths: Path, cache: int | None = None) -> Iterator[list[h5py.File]]:
    """Open files for reading. A single file uses the locking this program already uses for it; several use HDF5's own.

    Args:
        paths: the files.
        cache: h5py's chunk cache per file, in bytes.

    Raises:
        DataError: a file is missing, truncated, not HDF5, or open for writing.
    """
    for locking in _ALONE if len(paths) == 1 else _TOGETHER:
        with ExitStack() as stack:
            try:
                files = [stack.enter_context(_open(path, locking, cache)) for path in paths]
            except _OtherLockingError:
                continue
            yield files
            return
    raise DataError(
        "this program has a file open with a different locking mode",
        where=f"one of {', '.join(map(str, paths[:3]))}" if len(paths) > 1 else str(paths[0]),
        expected="h5py.File's default `locking`",
        fix="close the file before avelzoo reads it",
    )


@contextmanager
def open_file(path: Path, *, cache: int | None = None) -> Iterator[h5py.File]:
    """Open one file; see ``open_files``."""
    with open_files(path, cache=cache) as (file,):
        yield file


def absent(path: Path, problem: str = "a file is missing", *, expected: str = "", fix: str = "") -> DataError:
    """Error for a path without a file: missing, a broken symbolic link, or a folder."""
    if path.is_dir():
        return DataError("a folder instead of a file", where=str(path), expected=expected or "an HDF5 file", fix=fix)
    if path.is_symlink():
        return DataError(
            "broken symbolic link",
            where=str(path),
            found=f"a link to {path.readlink()}, which is missing",
            expected=expected or "the file",
            fix="mount or restore the target, or replace the link by the file",
        )
    return DataError(problem, where=str(path), expected=expected or "an HDF5 file", fix=fix)


def damaged(where: str, error: Exception) -> DataError:
    """Error for a file that opens but cannot be read, with HDF5's message."""
    text = first_line(error, limit=1000)
    if "unable to lock file" in text:
        return _writing(where, text)
    return DataError("an HDF5 file is damaged", where=where, found=text, fix=_FETCH)


def check_bytes(path: Path, needed: int) -> None:
    """Check a file's size: HDF5 would read missing bytes as zeros, and a missing mapped page would kill the process.

    Raises:
        DataError: the file is truncated or missing.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise DataError(f"a file is no longer readable: {reason(error)}", where=str(path)) from error
    if size < needed:
        raise _cut_off(path, size, needed)


def _open(path: Path, locking: str | bool | None, cache: int | None) -> h5py.File:
    try:
        file = h5py.File(path, "r", locking=locking, rdcc_nbytes=cache)
    except FileNotFoundError:
        raise absent(path, fix=f"`avelzoo data status {path.parent}` lists the files of the layout") from None
    except OSError as error:
        if "locking" in str(error) and "match" in str(error):
            raise _OtherLockingError from error
        raise _unreadable(path, error) from error
    if file.id.get_intent() & h5py.h5f.ACC_RDWR:  # this program is writing it: parts may not be on disk yet
        file.close()
        raise DataError(
            "this program has the file open for writing",
            where=str(path),
            expected="a file that no program is writing",
            fix="close it first (h5py: `file.close()`, or a `with` block)",
        )
    return file


def _unreadable(path: Path, error: OSError) -> DataError:
    """Translate h5py's message into a DataError."""
    text = str(error)
    cut = re.search(r"eof = (\d+).*?stored_eof = (\d+)", text)
    if cut:
        return _cut_off(path, int(cut[1]), int(cut[2]))
    if path.is_dir():
        return absent(path)
    if "unable to lock file" in text or "already open for" in text:
        return _writing(str(path), text)
    if "for file that is already open" in text or "doesn't match" in text:
        return DataError(
            "this program has the file open with different settings",
            where=str(path),
            found=text,
            fix="close it before avelzoo reads it",
        )
    if error.errno:
        return DataError(f"a file cannot be read: {reason(error)}", where=str(path))
    with path.open("rb") as file:
        head = file.read(_USER_BLOCK + len(_SIGNATURE))
    starts = [0, *(1 << power for power in range(9, _USER_BLOCK.bit_length()))]
    if any(head.startswith(_SIGNATURE, start) for start in starts):
        return damaged(str(path), error)
    kind, fix = next(((kind, fix) for start, kind, fix in _KINDS if head.lstrip().startswith(start)), ("", _FETCH))
    found = f"{path.stat().st_size:,} bytes that begin with {head[:16]!r}"
    found = f"{kind}: {found}" if kind else found
    return DataError("a file is not HDF5", where=str(path), found=found, expected="an HDF5 file", fix=fix)


def _cut_off(path: Path, size: int, needed: int) -> DataError:
    return DataError(
        "a file is truncated", where=str(path), found=f"{size:,} bytes", expected=f"{needed:,} bytes", fix=_FETCH
    )


def _writing(where: str, text: str) -> DataError:
    stale = "consistency flags" in text
    return DataError(
        "another program is writing this file" + (", or was stopped while writing" if stale else ""),
        where=where,
        found="an open-for-writing flag in the file" if stale else "a lock on the file",
        expected="a file that no program is writing",
        fix="wait until that program closes the file"
        + ("; if none is running, write the file again, or clear the flag with `h5clear -s FILE`" if stale else ""),
    )
