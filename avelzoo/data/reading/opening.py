"""Opening HDF5 files for reading, and why a file does not open."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import h5py

from avelzoo.errors import DataError

_ALONE = ("best-effort", False, True)
_TOGETHER = (None,)  # HDF5's own: with other locking, HDF5 before 2.0 gives zeros for files that it opens itself
_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_USER_BLOCK = 1 << 16  # the signature follows a user block: 0, 512, 1024, 2048, ... bytes
_FETCH = "fetch or copy the file again"
_KINDS: tuple[tuple[bytes, str, str], ...] = (
    (b"version https://git-lfs", "a pointer of Git LFS in place of the file", "fetch the file itself (`git lfs pull`)"),
    (b"<", "a web page in place of the file", "fetch the file itself; large downloads often ask for a confirmation"),
    (b"PK\x03\x04", "a zip archive", "unpack it"),
    (b"\x1f\x8b", "a gzip archive", "unpack it"),
    (b"\x93NUMPY", "a NumPy file", "write the array into an HDF5 file with h5py"),
    (b"MATLAB", "a MATLAB file", "write the array into an HDF5 file with h5py"),
    (b"\0" * 16, "zeros in place of the first bytes, as in an unfinished download", _FETCH),
)


class _OtherLockingError(Exception):
    """This program has the file open with other locking."""


@contextmanager
def open_files(*paths: Path, cache: int | None = None) -> Iterator[list[h5py.File]]:
    """Files for reading: one with the locking it is open with in this program already, several with HDF5's own.

    Args:
        paths: where they are.
        cache: bytes of chunks that h5py may keep for each.

    Raises:
        DataError: a file is missing, cut off, not HDF5, or open for writing.
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
        "this program has a file open with other locking",
        where=f"one of {', '.join(map(str, paths[:3]))}" if len(paths) > 1 else str(paths[0]),
        expected="h5py.File's own choice of `locking`",
        fix="close the file before avelzoo reads it",
    )


@contextmanager
def open_file(path: Path, *, cache: int | None = None) -> Iterator[h5py.File]:
    """One file, as ``open_files``."""
    with open_files(path, cache=cache) as (file,):
        yield file


def absent(path: Path, problem: str = "a file is missing", *, expected: str = "", fix: str = "") -> DataError:
    """Why there is no file at ``path``: nothing, a symbolic link without a target, a folder."""
    if path.is_dir():
        return DataError(
            "a folder is where a file should be", where=str(path), expected=expected or "an HDF5 file", fix=fix
        )
    if path.is_symlink():
        return DataError(
            "a symbolic link leads nowhere",
            where=str(path),
            found=f"a link to {path.readlink()}, which is not there",
            expected=expected or "the file",
            fix="mount or restore the target, or put the file in the link's place",
        )
    return DataError(problem, where=str(path), expected=expected or "an HDF5 file", fix=fix)


def damaged(where: str, error: Exception) -> DataError:
    """What HDF5 says of a file that opens and cannot be read."""
    text = (str(error).splitlines() or [type(error).__name__])[0]
    if "unable to lock file" in text:
        return _writing(where, text)
    return DataError("an HDF5 file is damaged", where=where, found=text, fix=_FETCH)


def check_bytes(path: Path, needed: int) -> None:
    """Refuse a file with fewer bytes than it needs: HDF5 reads zeros, and a mapped page that is gone ends the process.

    Raises:
        DataError: it is cut off or gone.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise DataError(f"a file has gone: {(error.strerror or '').lower()}", where=str(path)) from error
    if size < needed:
        raise _cut_off(path, size, needed)


def _open(path: Path, locking: str | bool | None, cache: int | None) -> h5py.File:
    try:
        file = h5py.File(path, "r", locking=locking, rdcc_nbytes=cache)
    except FileNotFoundError:
        raise absent(path, fix=f"`avelzoo data status {path.parent}` lists what belongs into the folder") from None
    except OSError as error:
        if "locking" in str(error) and "match" in str(error):
            raise _OtherLockingError from error
        raise _unreadable(path, error) from error
    if file.id.get_intent() & h5py.h5f.ACC_RDWR:  # this very program writes it: parts may not be on disk yet
        file.close()
        raise DataError(
            "this program has the file open for writing",
            where=str(path),
            expected="a file that nobody is writing",
            fix="close it first (h5py: `file.close()`, or a `with` block)",
        )
    return file


def _unreadable(path: Path, error: OSError) -> DataError:
    """What h5py's message means."""
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
            "this program has the file open with other settings",
            where=str(path),
            found=text,
            fix="close it before avelzoo reads it",
        )
    if error.errno:
        return DataError(f"a file cannot be read: {(error.strerror or text).lower()}", where=str(path))
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
        "a file is cut off", where=str(path), found=f"{size:,} bytes", expected=f"{needed:,} bytes", fix=_FETCH
    )


def _writing(where: str, text: str) -> DataError:
    stale = "consistency flags" in text
    return DataError(
        "another program is writing this file" + (", or was stopped while it wrote" if stale else ""),
        where=where,
        found="a mark of an open writer in the file" if stale else "a lock on the file",
        expected="a file that nobody is writing",
        fix="wait until that program closes it"
        + ("; if none is running, write the file again, or clear the mark with `h5clear -s FILE`" if stale else ""),
    )
