"""Reading a video segment by segment: both streams on one timeline, in constant memory."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from avelzoo.errors import DataError, OptionError
from avelzoo.extractors import AudioSampling, FrameSampling
from avelzoo.media.clock import Clock
from avelzoo.media.pictures import PictureTimeline
from avelzoo.media.probing import announced_end, no_streams
from avelzoo.media.records import MediaReport, Segment
from avelzoo.media.reporting import report
from avelzoo.media.sound import SoundTimeline
from avelzoo.media.source import StreamSource

TAIL = 0.1
"""A rest at the end of a file shorter than this part of a segment is left out; encoders pad sound by as much."""


def read_media(
    path: str | Path,
    *,
    frames: FrameSampling | None,
    audio: AudioSampling | None,
    seconds: float = 1.0,
    start: float = 0.0,
    duration: float | None = None,
) -> MediaReader:
    """Read a file segment by segment.

    Second 0 is the first time stamp of the video stream, or of the audio stream if there is no video.

    Args:
        path: video or audio file.
        frames: what to keep of the pictures; None reads no pictures.
        audio: rate of the sound; None reads no sound.
        seconds: length of a segment.
        start: second at which the first segment starts.
        duration: seconds to read; None reads to the end.

    Raises:
        DataError: the file cannot be opened, has no streams, or nothing of it can be decoded.
        UsageError: PyAV is missing, or an argument is out of range.
    """
    for name, value, fine in (
        ("seconds", seconds, seconds > 0),
        ("start", start, start >= 0),
        ("duration", duration, duration is None or duration > 0),
    ):
        if not fine or (value is not None and not math.isfinite(value)):
            expected = "at least 0" if name == "start" else "a positive number of seconds"
            raise OptionError(f"{name} out of range", where=name, found=str(value), expected=expected)
    return MediaReader(Path(path), frames=frames, audio=audio, seconds=seconds, start=start, duration=duration)


class MediaReader:
    """Iterator of a file's segments, and the context that closes the file; made by `read_media`.

    Attributes:
        path: the file.
    """

    def __init__(
        self,
        path: Path,
        *,
        frames: FrameSampling | None,
        audio: AudioSampling | None,
        seconds: float,
        start: float,
        duration: float | None,
    ) -> None:
        self.path = path
        self._sampling, self._audio = frames, audio
        self._seconds, self._start = seconds, start
        self._index = 0
        self._done = False
        self._stop = math.inf if duration is None else start + duration
        self._base = float(max(0, math.floor(start) - 1))  # decoders need a run-up; whole seconds keep the samples
        self._sources: list[StreamSource] = []
        self._sound: SoundTimeline | None = None
        self._pictures: PictureTimeline | None = None
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        for kind in ("video", "audio"):
            self._sources.append(StreamSource(self.path, kind))
        video, sound = self._sources
        if video.stream is None and sound.stream is None:
            raise no_streams(self.path)
        origin = _origin(*self._sources)
        self._announced = announced_end(video.container, self.path, origin)
        clocks = self._clock(video, origin), self._clock(sound, origin)
        clocks[0].beside, clocks[1].beside = clocks[1], clocks[0]
        self.has_video, self.has_audio = video.stream is not None, sound.stream is not None
        if self.has_video and self._sampling is not None:
            self._pictures = PictureTimeline(video, clocks[0], self._sampling, stop=self._stop)
            self.has_video = self._pictures.prime()
        if self.has_audio and self._audio is not None:
            rate = self._audio.rate
            self._sound = SoundTimeline(sound, clocks[1], rate=rate, base=self._base, stop=self._stop)
            self.has_audio = self._sound.prime()
        self._pictures = self._pictures if self.has_video else None
        self._sound = self._sound if self.has_audio else None
        if not self.has_video and not self.has_audio:
            raise DataError("nothing can be decoded", where=str(self.path), fix="play the file to check it")

    def _clock(self, source: StreamSource, origin: float) -> Clock:
        clock = Clock(origin=origin, limit=self._announced)
        if self._base and source.stream is not None:
            source.seek(origin + self._base)
            clock.begin_at(self._base)
        return clock

    @property
    def decoding(self) -> float:
        """Seconds spent so far on reading and decoding packets, without the work on their frames."""
        return sum(source.busy for source in self._sources)

    @property
    def report(self) -> MediaReport:
        """How the file was read so far."""
        return report(
            video=self._sources[0],
            audio=self._sources[1],
            pictures=self._pictures,
            sound=self._sound,
            has_video=self.has_video,
            has_audio=self.has_audio,
            begin=self._start,
            padded_to=self._start + self._index * self._seconds,
            announced=min(self._announced, self._stop),
            finished=self._done,
        )

    def close(self) -> None:
        """Close the file."""
        for source in self._sources:
            source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[Segment]:
        return self

    def __next__(self) -> Segment:
        begin = self._start + self._index * self._seconds
        if self._done or begin >= self._stop - 1e-9:
            self._finish()
            raise StopIteration
        segment = Segment(index=self._index, start=begin, frames=self._frames(begin), audio=self._samples(begin))
        # Asked after reading: to know whether the file goes on, frames of this segment may be passed.
        content = begin + (TAIL * self._seconds if self._index else 0.0)
        if not any(part.reaches(content) for part in (self._pictures, self._sound) if part is not None):
            self._finish()
            if not self._index:
                raise DataError(
                    "nothing to read after the start",
                    where=str(self.path),
                    found=f"start {self._start:g} s"
                    + (f", {self._announced:.1f} s announced by the file" if self._announced else ""),
                    fix="choose a smaller start",
                )
            raise StopIteration
        self._index += 1
        return segment

    def _finish(self) -> None:
        self._done = True
        self.close()

    def _frames(self, begin: float) -> np.ndarray | None:
        if self._pictures is None or self._sampling is None:
            return None
        count = self._sampling.per_segment
        return self._pictures.read([begin + i * self._seconds / count for i in range(count)])

    def _samples(self, begin: float) -> np.ndarray | None:
        if self._sound is None or self._audio is None:
            return None
        rate = self._audio.rate
        return self._sound.read(round((begin - self._base) * rate), round(self._seconds * rate))


def _origin(video: StreamSource, audio: StreamSource) -> float:
    """Time stamp of second 0."""
    first = video if video.stream is not None else audio
    start = first.seconds(first.stream.start_time)
    if start is None:
        start = (video.container.start_time or 0) / 1e6
    return start
