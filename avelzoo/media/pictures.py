"""The video timeline: the frame shown at each wanted time, upright, in RGB, prepared once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from avelzoo.errors import DataError
from avelzoo.extractors import FrameSampling
from avelzoo.media.backend import av, decoding_errors
from avelzoo.media.clock import Clock, Gaps
from avelzoo.media.source import StreamSource

_ROUNDING = 0.0005
_GAP = 1.0
_SLOWEST = 10.0
"""Seconds per frame of the slowest frame rate that is believed."""
_LONGER = 4.0
"""A frame that stays this many times as long as the mean frame, and more than a second, precedes a gap."""


class PictureTimeline:
    """Frames of a video stream, read from front to back.

    The frame of time t is the last one with a time stamp of at most t. Time stamps are rounded by containers: half a
    unit, at most half a millisecond, is forgiven. Before the first frame the first one is shown, after the last frame
    the last one.

    Args:
        source: the video stream.
        clock: time of its frames.
        sampling: how frames are prepared.
        stop: second after which nothing is read.

    Attributes:
        clock: as given.
        starts: second of the first frame; None before it is known.
        end: second at which the last frame read so far ends.
        finished: nothing is left in the file.
        gaps: intervals without frames.
        resized: frames left out, as they had another size.
    """

    def __init__(self, source: StreamSource, clock: Clock, sampling: FrameSampling, *, stop: float) -> None:
        self._source, self.clock, self._stop = source, clock, stop
        self._prepare = sampling.prepare
        self._frames = source.frames()
        self._reformatter = av().video.reformatter.VideoReformatter()  # one for all: PyAV 18 loses memory with each
        self._forgiven = min(source.tick / 2, _ROUNDING)
        rate = source.stream.average_rate
        self._usual = min(1 / float(rate), _SLOWEST) if rate else 0.04
        self._shown: Any = None  # the frame on the screen, until it is prepared
        self._next: Any = None
        self._time = 0.0  # of the next frame
        self._count = 0
        self._ready: np.ndarray | None = None
        self.starts: float | None = None
        self.end = -np.inf
        self.finished = False
        self.gaps = Gaps()
        self.resized = 0

    def prime(self) -> bool:
        """Read the first frame; whether there is any."""
        if self.starts is None and not self.finished:
            self._pull()
        return self.starts is not None

    def reaches(self, second: float) -> bool:
        """Whether the file has a picture after this second."""
        while self.end <= second and not self.finished:
            self._advance()
        return self.end > second

    def read(self, times: Sequence[float]) -> np.ndarray:
        """Prepared frames of ascending times (k ...)."""
        return np.stack([self._at(time) for time in times])

    def _at(self, time: float) -> np.ndarray:
        while not self.finished and (self._time <= time + self._forgiven or not self._can_show()):
            self._advance()
        if not self._can_show():
            raise DataError("no frame of the video can be converted to RGB", where=str(self._source.path))
        assert self._ready is not None
        return self._ready

    def _can_show(self) -> bool:
        """Prepare the frame on the screen; a frame that cannot be prepared leaves the one before it."""
        if self._shown is not None:
            frame, self._shown = self._shown, None
            try:
                picture = self._rgb(frame)
            except decoding_errors():
                self._source.damaged += 1
            else:
                self._keep(np.asarray(self._prepare(picture)))
        return self._ready is not None

    def _keep(self, ready: np.ndarray) -> None:
        if self._ready is None or self._ready.shape == ready.shape:
            self._ready = ready
        else:
            self.resized += 1

    def _rgb(self, frame: Any) -> np.ndarray:
        picture = self._reformatter.reformat(frame, format="rgb24", threads=1).to_ndarray()
        return np.ascontiguousarray(np.rot90(picture, round(frame.rotation / 90) % 4))

    def _advance(self) -> None:
        """Show the next frame and read the one after it."""
        if self._next is not None:
            self._shown = self._next
        self._pull()

    def _pull(self) -> None:
        frame = next(self._frames, None)
        if frame is None:
            self._next, self.finished = None, True
            return
        length = frame.duration * self._source.tick
        length = length if 0 < length <= self._usual * _LONGER else self._usual
        time = self.clock.at(self._source.seconds(frame.pts if frame.pts is not None else frame.dts), length)
        if time >= self._stop and self.starts is not None:
            self._next, self.finished, self.end = None, True, self._stop
            return
        if self.starts is None:
            self.starts = time
        else:
            time = max(time, self._time)
            self._note_gap(time)
        self._next, self._time = frame, time
        self._count += 1
        self.end = min(time + length, self._stop)

    def _note_gap(self, time: float) -> None:
        """Tell a gap from a picture that stands still: frames came faster before it."""
        mean = (self._time - (self.starts or 0.0)) / (self._count - 1) if self._count > 3 else np.inf
        if time - self._time > max(_GAP, _LONGER * mean):
            self.gaps.add(self.end, time)
