"""What a file announces, from its header alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from avelzoo.errors import DataError
from avelzoo.media.backend import open_input
from avelzoo.media.records import AudioStream, MediaInfo, VideoStream
from avelzoo.media.source import choose

_SPARSE = 16
"""Bytes per second of the sparsest file whose announced length is believed."""


def probe(path: str | Path) -> MediaInfo:
    """Duration and streams of a file, without decoding it.

    Raises:
        DataError: the file cannot be opened, or has neither video nor audio.
        UsageError: PyAV is missing.
    """
    path = Path(path)
    with open_input(path) as container:
        video, audio = choose(container, "video"), choose(container, "audio")
        if video is None and audio is None:
            raise no_streams(path)
        return MediaInfo(
            format=container.format.name,
            duration=(container.duration or 0) / 1e6,
            video=video
            and VideoStream(
                codec=video.codec_context.name,
                width=video.codec_context.width,
                height=video.codec_context.height,
                frame_rate=float(video.average_rate or 0),
            ),
            audio=audio
            and AudioStream(
                codec=audio.codec_context.name,
                rate=audio.codec_context.sample_rate,
                channels=audio.codec_context.layout.nb_channels,
            ),
        )


def no_streams(path: Path) -> DataError:
    """A file without anything to see or hear."""
    return DataError("neither a video nor an audio stream in the file", where=str(path))


def announced_end(container: Any, path: Path, origin: float) -> float:
    """End of the file in seconds after the origin, as its header has it; 0 if unknown or too long for its size."""
    if not container.duration or container.duration < 0:
        return 0.0
    duration = float(container.duration / 1e6)
    if duration > path.stat().st_size / _SPARSE + 60:
        return 0.0
    return max(0.0, duration + (container.start_time or 0) / 1e6 - origin)
