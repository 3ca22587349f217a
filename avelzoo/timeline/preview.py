"""Small pictures and the outline of the sound, gathered while a video is read, in constant memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

FRAMES, PEAKS = 24, 600
"""At most twice as many are kept; then every other one is dropped, or two become one."""
WIDTH = 160
"""Width of a small picture in pixels."""
PER_SEGMENT = 50
"""Peaks of a segment before any are joined."""

Prepare = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Waveform:
    """Outline of the sound.

    Attributes:
        peaks: (k 2) float32, smallest and largest sample of successive intervals of equal length.
        start: start of the first interval in seconds.
        end: end of the last interval in seconds.
    """

    peaks: np.ndarray
    start: float
    end: float


class Preview:
    """What a picture shows of a video besides the scores: one small frame per segment at most, and peaks.

    >>> preview = Preview()
    >>> prepare = preview.watching(lambda frame: frame)
    >>> for second in range(1000): preview.add(float(second), 1.0, np.zeros(16000)) if len(prepare(WHITE)) else None
    >>> len(preview.waveform.peaks) <= 2 * PEAKS, preview.waveform.end
    (True, 1000.0)
    """

    def __init__(self) -> None:
        self._frames: list[tuple[float, np.ndarray]] = []
        self._last: np.ndarray | None = None
        self._wanted = True
        self._every, self._segments = 1, 0
        self._peaks: list[tuple[float, float]] = []
        self._pending: list[tuple[float, float]] = []
        self._joined = 1
        self._start: float | None = None
        self._end = 0.0

    def watching(self, prepare: Prepare) -> Prepare:
        """``prepare`` of a `FrameSampling`, which also remembers the first frame of each segment."""

        def seen(frame: np.ndarray) -> np.ndarray:
            if self._wanted:
                self._last, self._wanted = small(frame), False
            return prepare(frame)

        return seen

    def add(self, start: float, seconds: float, audio: np.ndarray | None) -> None:
        """Add a segment, after its frames were prepared.

        Args:
            start: start of the segment in seconds.
            seconds: its length.
            audio: (samples,); None without sound.
        """
        if self._last is not None and self._segments % self._every == 0:
            self._frames.append((start, self._last))
            if len(self._frames) > 2 * FRAMES:
                self._frames, self._every = self._frames[::2], 2 * self._every
        self._segments += 1
        self._wanted = True
        if audio is not None and len(audio):
            self._start = start if self._start is None else self._start
            self._end = start + seconds
            self._outline(audio)

    def _outline(self, audio: np.ndarray) -> None:
        for part in np.array_split(audio, PER_SEGMENT):
            if len(part):
                self._pending.append((float(part.min()), float(part.max())))
            if len(self._pending) == self._joined:
                self._peaks.append(_join(self._pending))
                self._pending = []
            if len(self._peaks) > 2 * PEAKS:
                whole = len(self._peaks) // 2 * 2
                self._pending = self._peaks[whole:]
                self._peaks = [_join(self._peaks[i : i + 2]) for i in range(0, whole, 2)]
                self._joined *= 2

    @property
    def frames(self) -> list[tuple[float, np.ndarray]]:
        """(second, (h w 3) uint8) of evenly spaced segments."""
        return list(self._frames)

    @property
    def waveform(self) -> Waveform | None:
        """Outline of the sound; None without sound."""
        if self._start is None:
            return None
        rest = [_join(self._pending)] if self._pending else []
        return Waveform(np.array([*self._peaks, *rest], dtype=np.float32), self._start, self._end)


def small(frame: np.ndarray, width: int = WIDTH) -> np.ndarray:
    """(h w 3) uint8 with at most ``width`` columns: means of square blocks."""
    step = max(1, -(-frame.shape[1] // width))
    h, w = frame.shape[0] // step * step, frame.shape[1] // step * step
    if step == 1 or h == 0 or w == 0:
        return np.array(frame[:width, :width], dtype=np.uint8)
    blocks = frame[:h, :w].reshape(h // step, step, w // step, step, 3)
    return np.asarray(blocks.mean(axis=(1, 3)).round(), dtype=np.uint8)


def _join(peaks: list[tuple[float, float]]) -> tuple[float, float]:
    return min(low for low, _ in peaks), max(high for _, high in peaks)
