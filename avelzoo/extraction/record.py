"""What is kept of a video: its key and its outcome."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from avelzoo.data.reading.checksum import sha256
from avelzoo.errors import DataError, reason


@dataclass(frozen=True, kw_only=True)
class Record:
    """Outcome of a video.

    Attributes:
        key: key of the video.
        status: how the file was read, a `Status`; ``failed`` for a failure.
        reason: why it was not fully read; for a failure, the error in words.
        duration: length in seconds.
        segments: number of segments t; 0 for a failure.
        audio: shape of a segment's audio features.
        visual: shape of a segment's visual features.
        notices: what was repaired while reading.
        sha256: checksum of the features.
    """

    key: str
    status: str
    reason: str = ""
    duration: float = 0.0
    segments: int = 0
    audio: tuple[int, ...] = ()
    visual: tuple[int, ...] = ()
    notices: tuple[str, ...] = ()
    sha256: str = ""

    @property
    def failed(self) -> bool:
        """Whether there are no features."""
        return self.status == "failed"

    @property
    def width(self) -> int:
        """Numbers per segment: audio, then visual."""
        return int(np.prod(self.audio)) + int(np.prod(self.visual))


def video_key(path: Path, *, by_content: bool = False) -> str:
    """Key of a video: of its path, size and time of modification, or of its content.

    Raises:
        OSError: the file cannot be used.
    """
    if by_content:
        return sha256(path)[:32]
    stat = path.stat()
    identity = f"{path.resolve()}\0{stat.st_size}\0{stat.st_mtime_ns}"
    return hashlib.sha256(identity.encode(errors="surrogateescape")).hexdigest()[:32]


def file_state(path: Path) -> tuple[int, int]:
    """Size and time of modification.

    Raises:
        DataError: the file cannot be used.
    """
    try:
        stat = path.stat()
    except OSError as error:
        raise DataError(f"the video cannot be read: {reason(error)}", where=str(path)) from error
    return stat.st_size, stat.st_mtime_ns
