"""Segments without files: a reader of media whose content is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from avelzoo.extractors import AudioSampling, FrameSampling


@dataclass
class FakeReport:
    status: str = "ok"
    reason: str = ""
    duration: float = 0.0
    notices: tuple[str, ...] = ()


@dataclass
class FakeSegment:
    start: float
    frames: np.ndarray | None
    audio: np.ndarray | None


class FakeReader:
    """A grey level and a loudness that tell the segment: level and amplitude of segment i are i."""

    def __init__(self, duration: float, *, pictures: bool = True, sound: bool = True) -> None:
        self.report = FakeReport(duration=duration)
        self.pictures, self.sound = pictures, sound
        self.held = 0
        self.decoding = 0.0

    def __call__(
        self,
        path: Path,
        *,
        frames: FrameSampling,
        audio: AudioSampling,
        seconds: float,
        start: float,
        duration: float | None,
    ) -> FakeReader:
        self.frames, self.audio, self.seconds, self.start = frames, audio, seconds, start
        self.end = self.report.duration if duration is None else min(self.report.duration, start + duration)
        return self

    def __enter__(self) -> FakeReader:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __iter__(self) -> Iterator[FakeSegment]:
        for i in range(int(np.ceil((self.end - self.start) / self.seconds - 1e-9))):
            start = self.start + i * self.seconds
            picture = np.full((16, 16, 3), int(start), np.uint8)
            frames = np.stack([self.frames.prepare(picture)] * self.frames.per_segment)
            sound = np.full(round(self.seconds * self.audio.rate), start / 1000, np.float32)
            yield FakeSegment(start, frames if self.pictures else None, sound if self.sound else None)
