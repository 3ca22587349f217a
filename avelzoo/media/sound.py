"""The audio timeline: samples at the times of their time stamps, silence between them, one channel at one rate."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from avelzoo.media.backend import av, decoding_errors
from avelzoo.media.clock import Clock, Gaps
from avelzoo.media.mixing import Mixer
from avelzoo.media.source import StreamSource

JITTER = 0.03
"""Seconds by which time stamps may differ from the count of samples: containers round them, encoders drift."""
_BROKEN = 0.005
"""The same where the sound is not continuous: after damaged packets, jumps of time stamps and changes of the rate."""
_RATES = range(1000, 1_000_000)


class SoundTimeline:
    """Samples of an audio stream, read from front to back.

    Args:
        source: the audio stream.
        clock: time of its frames.
        rate: samples per second to deliver.
        base: second of the file that sample 0 belongs to.
        stop: second after which nothing is read.

    Attributes:
        clock: as given.
        starts: second at which the sound starts; None before it is known.
        end: second up to which samples were read.
        finished: nothing is left in the file.
        gaps: intervals filled with silence.
        dropped: samples left out, as they overlapped earlier ones, in seconds.
        peak: largest absolute sample so far.
    """

    def __init__(self, source: StreamSource, clock: Clock, *, rate: int, base: float, stop: float) -> None:
        self._source, self.clock, self._rate, self._base, self._stop = source, clock, rate, base, stop
        self._mono = Mixer()
        self._blocks = self._resampled()
        self._kept: list[np.ndarray] = []
        self._head = 0  # number of the first kept sample
        self._tail = 0  # number of the sample after the last kept one
        self.starts: float | None = None
        self.end = base
        self.finished = False
        self.gaps = Gaps()
        self.dropped = 0.0
        self.peak = 0.0

    def prime(self) -> bool:
        """Read the first samples; whether there are any."""
        while self.starts is None and not self.finished:
            self._pull()
        return self.starts is not None

    def reaches(self, second: float) -> bool:
        """Whether the file has sound after this second."""
        while self.end <= second and not self.finished:
            self._pull()
        return self.end > second

    def read(self, begin: int, count: int) -> np.ndarray:
        """Samples begin to begin + count, float32 in [-1, 1]; earlier ones are forgotten."""
        while self._tail < begin + count and not self.finished:
            self._pull()
        while self._kept and self._head + len(self._kept[0]) <= begin:
            self._head += len(self._kept.pop(0))
        samples = np.zeros(count, np.float32)
        at = self._head
        for block in self._kept:
            low, high = max(at, begin), min(at + len(block), begin + count)
            if low < high:
                samples[low - begin : high - begin] = block[low - at : high - at]
            at += len(block)
        np.clip(np.nan_to_num(samples, copy=False), -1.0, 1.0, out=samples)
        self.peak = max(self.peak, float(np.abs(samples).max(initial=0.0)))
        return samples

    def _pull(self) -> None:
        block = next(self._blocks, None)
        if block is None:
            self.finished = True
        elif len(block):
            self._kept.append(block)
            self._tail += len(block)

    def _resampled(self) -> Iterator[np.ndarray]:
        """Blocks at the wanted rate; after a change of the stream's rate the resampler starts anew."""
        current, resampler, position = 0, None, 0
        for rate, block in self._placed():
            if rate != current:
                yield from _flushed(resampler)
                current, position = rate, 0
                resampler = None if rate == self._rate else _resampler(self._rate)
            if resampler is None:
                yield block
                continue
            frame = av().AudioFrame.from_ndarray(block[None], format="flt", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = rate, position, Fraction(1, rate)
            position += len(block)
            for done in resampler.resample(frame):
                yield done.to_ndarray()[0]
        yield from _flushed(resampler)

    def _placed(self) -> Iterator[tuple[int, np.ndarray]]:
        """Rates and blocks of samples that follow each other from the base on, without holes."""
        rate, placed = 0, 0
        before: tuple[int, ...] = ()
        for frame in self._source.frames():
            if frame.sample_rate not in _RATES:
                self._source.damaged += 1
                continue
            try:
                block = self._mono(frame)
            except decoding_errors():
                self._source.damaged += 1
                continue
            if frame.sample_rate != rate:
                placed = round(placed * frame.sample_rate / rate) if rate else 0
                rate = frame.sample_rate
            time = self.clock.at(self._source.seconds(frame.pts), len(block) / rate)
            if self.starts is None:
                self.starts = time
            if time >= self._stop:
                break
            offset = round((time - self._base) * rate) - placed
            state = (rate, self._source.damaged, self.clock.resets)
            if placed and abs(offset) <= (JITTER if state == before else _BROKEN) * rate:
                offset = 0
            if offset > 0:
                if placed:
                    self.gaps.add(self.end, time)
                for done in range(0, offset, rate):
                    silence = np.zeros(min(rate, offset - done), np.float32)
                    placed += len(silence)
                    yield rate, silence
            elif offset < 0:
                if placed:
                    self.dropped += min(len(block), -offset) / rate
                block = block[-offset:]
                before = before if len(block) else ()  # the rest of the overlap is cut off the next block
            block = block[: max(0, round((self._stop - self._base) * rate) - placed)] if self._stop < np.inf else block
            if len(block):
                placed, before = placed + len(block), state
                self.end = self._base + placed / rate
                yield rate, block


def _resampler(rate: int) -> Any:
    return av().AudioResampler(format="flt", layout="mono", rate=rate)


def _flushed(resampler: Any) -> Iterator[np.ndarray]:
    if resampler is not None:
        for done in resampler.resample(None):
            yield done.to_ndarray()[0]
