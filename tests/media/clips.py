"""Clips that tests make themselves: frame numbers in black and white, a tone per channel, an onset every second."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from avelzoo.extractors import AudioSampling, FrameSampling
from avelzoo.media.reading import MediaReader, read_media
from avelzoo.media.records import Segment
from avelzoo.media.writing import write_clip

HEIGHT, WIDTH, BLOCK = 96, 160, 16
QUIET = 0.05
"""Seconds of silence at the start of every second: the tone's onset is at its end."""


def drawn(number: int) -> np.ndarray:
    """A grey frame with its number in black and white, and a bar that moves."""
    frame = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    for bit in range(10):
        frame[:32, bit * BLOCK : (bit + 1) * BLOCK] = 255 * (number >> bit & 1)
    frame[48:80, number * 3 % WIDTH : number * 3 % WIDTH + 12] = (200, 30, 60)
    return frame


def number_of(frame: np.ndarray) -> np.ndarray:
    """The number that `drawn` drew, after lossy coding, as an array of its own."""
    return np.array(sum(int(frame[12:20, bit * BLOCK + 6 : bit * BLOCK + 10].mean() > 128) << bit for bit in range(10)))


def tone(seconds: float, rate: int = 44100, frequencies: Sequence[float] = (440, 880)) -> np.ndarray:
    """A tone per channel (c samples), silent in the first 50 ms of each second."""
    times = np.arange(round(seconds * rate)) / rate
    waves = np.stack([0.5 * np.sin(2 * np.pi * f * times) for f in frequencies])
    waves[:, times % 1 < QUIET] = 0
    return waves.astype(np.float32)


def clip(path: Path, seconds: float = 10.0, fps: float = 25.0, rate: int = 44100, channels: int = 2) -> Path:
    """A clip with numbered frames and tones; no sound for 0 channels."""
    sound = tone(seconds, rate, (440, 880)[:channels]) if channels else None
    write_clip(path, map(drawn, range(round(seconds * fps))), sound, fps, rate)
    return path


def read(path: Path, per_segment: int = 16, rate: int = 16000, **window: float) -> tuple[list[Segment], MediaReader]:
    """All segments with frame numbers for frames."""
    frames = FrameSampling(per_segment=per_segment, prepare=number_of)
    with read_media(path, frames=frames, audio=AudioSampling(rate=rate), **window) as reader:
        return list(reader), reader


def numbers(segments: Sequence[Segment]) -> list[int]:
    """Frame numbers at all sample times."""
    return [int(n) for segment in segments for n in (segment.frames if segment.frames is not None else ())]


def samples(segments: Sequence[Segment]) -> np.ndarray:
    """The whole sound."""
    return np.concatenate([segment.audio for segment in segments if segment.audio is not None])


def expected(seconds: float, fps: float, per_segment: int = 16) -> list[int]:
    """Frame numbers of an exact reading at a constant frame rate, computed with fractions."""
    exact = Fraction(fps).limit_denominator(1001)
    last = round(seconds * fps) - 1
    return [min(last, int(Fraction(i, per_segment) * exact)) for i in range(int(-(-seconds // 1)) * per_segment)]


def peaks(sound: np.ndarray, rate: int) -> Iterator[float]:
    """The two loudest frequencies, in ascending order."""
    power = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) ** 2
    found = []
    for _ in range(2):
        top = int(power.argmax())
        found.append(top * rate / len(sound))
        power[max(0, top - 50) : top + 50] = 0
    yield from sorted(found)


def onset(second: np.ndarray, rate: int) -> float:
    """Time of the first loud sample of a second that starts silent; its first 10 ms may hold the tone before."""
    early = rate // 100
    return (early + int(np.argmax(np.abs(second[early:]) > 0.05))) / rate
