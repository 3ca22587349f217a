"""Features of one video, a few segments at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from avelzoo.errors import DataError
from avelzoo.extraction.ahead import Ahead
from avelzoo.extraction.record import file_state
from avelzoo.extractors import AudioSampling, Extractor, FrameSampling
from avelzoo.media.reading import read_media
from avelzoo.media.records import PADDED
from avelzoo.system.stages import BACKBONE, DECODING, RESAMPLING, StageTimes

if TYPE_CHECKING:
    from avelzoo.media.records import MediaReport, Segment

BATCH = 8
"""Segments whose features are computed at a time, and segments that are decoded ahead of them."""
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
    """Features of a video in blocks, in constant memory; an iterable of `Block`.

    A thread decodes up to ``batch`` segments ahead of the networks. A missing stream gives the features of silence or
    of black frames, and `report` says so.

    Args:
        path: the file.
        visual: visual extractor.
        audio: audio extractor.
        seconds: length of a segment.
        start: where to begin, in seconds.
        duration: length to read in seconds; None for the rest of the file.
        batch: segments of a block; as many more are decoded ahead.
        tail: smallest share of a last segment that is kept; 0 keeps all, the rest of it padded.

    Attributes:
        path: the file.
        report: how the file was read; known when the iteration has ended.
        state: the file's size and time of modification before it was opened; None if it could not be used.
        times: time spent on decoding, resampling and networks, complete when the iteration has ended.
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
        tail: float = 0.0,
    ) -> None:
        self.path = path
        self._visual, self._audio = visual, audio
        self._seconds, self._start, self._duration, self._batch = seconds, start, duration, batch
        self._tail = tail
        self._segments: Ahead[Segment] | None = None
        self._read: MediaReport | None = None
        self._clocks = 0.0, 0.0  # seconds of decoding and of the rest, by the thread
        self.state: tuple[int, int] | None = None
        self.times = StageTimes()

    def start(self) -> None:
        """Begin to decode, before the iteration begins."""
        if self._segments is None:
            with suppress(DataError):
                self.state = file_state(self.path)
            self._segments = Ahead(self._decoded, self._batch)

    def close(self) -> None:
        """Stop decoding; needed only for a reader that was started and is not read to its end."""
        if self._segments is not None:
            self._segments.close()
            self._segments = None

    def __iter__(self) -> Iterator[Block]:
        self.start()
        assert self._segments is not None
        held: list[Segment] = []
        try:
            for segment in self._segments:
                if len(held) > self._batch:  # one is kept back, as the last one may be left out
                    yield self._block(held[: self._batch])
                    held = held[self._batch :]
                held.append(segment)
        finally:
            self.close()
            for stage, seconds in zip((DECODING, RESAMPLING), self._clocks, strict=True):
                self.times.add(stage, seconds)
        assert self._read is not None
        self.report = self._read
        self._leave_out(held)
        for first in range(0, len(held), self._batch):
            yield self._block(held[first : first + self._batch])

    def _decoded(self) -> Iterator[Segment]:
        """Segments of the file, in the decoding thread."""
        times = StageTimes()
        with times.timed(RESAMPLING):
            media = read_media(
                self.path,
                frames=cast("FrameSampling", self._visual.sampling),
                audio=cast("AudioSampling", self._audio.sampling),
                seconds=self._seconds,
                start=self._start,
                duration=self._duration,
            )
        with media as reader:
            try:
                yield from times.iterate(RESAMPLING, reader)
                self._read = reader.report
            finally:
                decoding = reader.decoding
                self._clocks = decoding, times.seconds[RESAMPLING] - decoding

    def _leave_out(self, held: list[Segment]) -> None:
        """Remove a last segment that is hardly filled, unless it is the only one."""
        rest = self._start + self.report.duration - held[-1].start if len(held) > 1 else self._seconds
        if rest < self._tail * self._seconds - 1e-6:
            held.pop()
            notice = f"the last {rest:.2f} s left out, less than {self._tail:g} of a segment"
            kept = (one for one in self.report.notices if not one.startswith(PADDED))
            self.report = replace(self.report, notices=(*kept, notice))

    def _block(self, segments: Sequence[Segment]) -> Block:
        visual = np.stack([self._black() if s.frames is None else s.frames for s in segments])
        audio = np.stack([self._silence() if s.audio is None else s.audio for s in segments])
        with self.times.timed(BACKBONE):
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
