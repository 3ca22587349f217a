"""Features of one video, a few segments at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from avelzoo.errors import DataError
from avelzoo.extractors import AudioSampling, Extractor, FrameSampling
from avelzoo.media.reading import read_media

if TYPE_CHECKING:
    from avelzoo.media.records import MediaReport, Segment

BATCH = 8
"""Segments that are held at a time."""
_BLACK = (224, 224, 3)


@dataclass(frozen=True, kw_only=True, eq=False)
class VideoFeatures:
    """Features of a video's t segments.

    Attributes:
        audio: (t a) float32.
        visual: (t h w v) float32.
        report: how the file was read.
    """

    audio: np.ndarray
    visual: np.ndarray
    report: MediaReport


@dataclass(frozen=True, eq=False)
class Block:
    """Features of a few successive segments: audio (b a), visual (b h w v)."""

    audio: np.ndarray
    visual: np.ndarray


class FeatureReader:
    """Features of a video in blocks, in constant memory; an iterator of `Block`.

    A missing stream gives the features of silence or of black frames, and `report` says so.

    Args:
        path: the file.
        visual: visual extractor.
        audio: audio extractor.
        seconds: length of a segment.
        start: where to begin, in seconds.
        duration: length to read in seconds; None for the rest of the file.
        batch: segments that are held at a time.

    Attributes:
        report: how the file was read; known when the iteration has ended.
    """

    report: MediaReport

    def __init__(
        self,
        path: Path,
        visual: Extractor,
        audio: Extractor,
        *,
        seconds: float = 1.0,
        start: float = 0.0,
        duration: float | None = None,
        batch: int = BATCH,
    ) -> None:
        self._path, self._visual, self._audio = path, visual, audio
        self._seconds, self._start, self._duration, self._batch = seconds, start, duration, batch

    def __iter__(self) -> Iterator[Block]:
        with read_media(
            self._path,
            frames=cast("FrameSampling", self._visual.sampling),
            audio=cast("AudioSampling", self._audio.sampling),
            seconds=self._seconds,
            start=self._start,
            duration=self._duration,
        ) as reader:
            held: list[Segment] = []
            for segment in reader:
                held.append(segment)
                if len(held) == self._batch:
                    yield self._block(held)
                    held = []
            self.report = reader.report
            if held:
                yield self._block(held)

    def _block(self, segments: Sequence[Segment]) -> Block:
        visual = np.stack([self._black() if s.frames is None else s.frames for s in segments])
        audio = np.stack([self._silence() if s.audio is None else s.audio for s in segments])
        return Block(self._audio.features(audio), self._visual.features(visual))

    def _black(self) -> np.ndarray:
        sampling = cast("FrameSampling", self._visual.sampling)
        return np.stack([sampling.prepare(np.zeros(_BLACK, np.uint8))] * sampling.per_segment)

    def _silence(self) -> np.ndarray:
        rate = cast("AudioSampling", self._audio.sampling).rate
        return np.zeros(round(self._seconds * rate), np.float32)


def extract_video(
    path: Path,
    visual: Extractor,
    audio: Extractor,
    *,
    seconds: float = 1.0,
    start: float = 0.0,
    duration: float | None = None,
) -> VideoFeatures:
    """Features of a video, or of a part of it. Decoded frames and sound are held for a few segments only.

    A missing stream gives the features of silence or of black frames, and the report says so.

    Args:
        path: the file.
        visual: visual extractor.
        audio: audio extractor.
        seconds: length of a segment.
        start: where to begin, in seconds.
        duration: length to read in seconds; None for the rest of the file.

    Raises:
        DataError: the file cannot be opened, or holds no segment.
        UsageError: PyAV is not installed.
    """
    reader = FeatureReader(path, visual, audio, seconds=seconds, start=start, duration=duration)
    with closing(cast("Any", iter(reader))) as blocks:
        found = list(blocks)
    require_segments(path, len(found))
    return VideoFeatures(
        audio=np.concatenate([block.audio for block in found]),
        visual=np.concatenate([block.visual for block in found]),
        report=reader.report,
    )


def require_segments(path: Path, count: int) -> None:
    """Refuse a video without segments.

    Raises:
        DataError: ``count`` is 0.
    """
    if not count:
        raise DataError(
            "no segment could be read",
            where=str(path),
            expected="a video of some length",
            fix="check that it plays; `start` must lie before its end",
        )
