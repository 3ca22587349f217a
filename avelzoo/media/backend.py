"""PyAV, imported when it is needed, and its files opened with errors for users.

Two versions are supported. In PyAV 19 rational attributes are never None and unset ones are falsy, so their truth is
tested, and they are used as floats only.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

from avelzoo.errors import DataError, UsageError, reason

# Demuxers of text: playlists, which name other files and addresses, and pictures made of letters.
_TEXT = {"concat", "dash", "dfxp", "hls", "imf", "lavfi", "rtsp", "sdp", "tty", "webm_dash_manifest"}
MAX_PIXELS = 2**25
"""Pixels of the largest frame that is decoded, just above 8K; damaged headers announce frames that fill the memory."""


def av() -> Any:
    """The package ``av`` (PyAV).

    Raises:
        UsageError: PyAV is missing or too old.
    """
    try:
        import av as package
    except ImportError as error:
        raise UsageError(
            "PyAV, which reads and writes videos, cannot be imported",
            found=reason(error),
            fix="pip install 'avelzoo[media]'",
        ) from error
    if _major(package) < 18:
        raise UsageError(
            "PyAV is too old", found=package.__version__, expected="18 or 19", fix="pip install 'avelzoo[media]'"
        )
    return package


def open_input(path: Path) -> Any:
    """A file opened for reading, as PyAV's ``InputContainer``; to be closed by the caller.

    Raises:
        DataError: missing, a folder, a special file, not permitted, empty, or not a media file.
        UsageError: PyAV is missing.
    """
    package = av()
    check_file(path)
    allowed = sorted(package.formats_available - _TEXT)
    options = {"format_whitelist": ",".join(allowed), "protocol_whitelist": "file", "max_pixels": str(MAX_PIXELS)}
    lenient = {"metadata_errors": "replace"} if _major(package) < 19 else {}
    try:
        # An absolute path: FFmpeg takes the start of "a:b.mp4" for a protocol.
        return package.open(os.path.abspath(path), options=options, **lenient)  # noqa: PTH100 - keeps symbolic links
    except (package.FFmpegError, ValueError) as error:
        raise unreadable(path, error) from error


def check_file(path: Path) -> None:
    """Check that a path is a file that may be read and is not empty.

    Raises:
        DataError: it is not.
    """
    where = str(path)
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise DataError("a folder is not a video", where=where, fix="name files, or use `avelzoo extract` on it")
        if not stat.S_ISREG(mode):
            raise DataError("not a regular file", where=where, expected="a video file on disk")
        with path.open("rb") as file:
            empty = not file.read(1)
    except FileNotFoundError as error:
        raise DataError("video file missing", where=where, fix="check the path") from error
    except (OSError, ValueError) as error:
        raise DataError(
            "video file cannot be read", where=where, found=reason(error), fix="check the path and its permissions"
        ) from error
    if empty:
        raise DataError("video file is empty", where=where, found="0 bytes")


def unreadable(path: Path, error: BaseException) -> DataError:
    """What a user can do about a file that FFmpeg refuses."""
    return DataError(
        "not a video or audio file that FFmpeg can read",
        where=str(path),
        found=_said(error),
        expected="a complete video or audio file, such as mp4, webm, mkv or wav",
        fix="play the file to check it; a cut mp4 without its index cannot be read",
    )


def decoding_errors() -> tuple[type[Exception], ...]:
    """What PyAV raises for damaged data."""
    return (av().FFmpegError, ValueError)


def _said(error: BaseException) -> str:
    """FFmpeg's reason alone, without the path and number that PyAV adds."""
    return str(getattr(error, "strerror", "") or reason(error)).lower()


def _major(package: Any) -> int:
    return int(package.__version__.partition(".")[0])
