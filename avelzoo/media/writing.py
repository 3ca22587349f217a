"""Writing of small mp4 files: H.264 and AAC, frame by frame, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from avelzoo.errors import OptionError
from avelzoo.extractors import AudioSampling, FrameSampling
from avelzoo.media.encoding import write_pairs
from avelzoo.media.probing import probe
from avelzoo.media.reading import read_media

_FRAME_RATES = (5, 6, 8, 10, 12, 15, 16, 20, 24, 25, 30)
"""Frame rates of cut clips: divisors of the sample rate, so that a frame lasts a whole number of samples."""
_CUT_RATE = 48000


def write_clip(
    path: str | Path,
    frames: Iterable[np.ndarray],
    audio: np.ndarray | Iterable[np.ndarray] | None,
    fps: float,
    rate: int = 44100,
) -> None:
    """Write an mp4 file, whole or not at all.

    Frames and sound are taken as they are encoded, so iterables of any length need constant memory.

    Args:
        path: the file; an existing one is replaced.
        frames: (h w 3) uint8 RGB, all of one size. Odd sizes lose a row or a column.
        audio: (samples) mono or (2 samples) stereo float in [-1, 1], or an iterable of such blocks; None for no sound.
        fps: frames per second.
        rate: samples per second.

    Raises:
        OptionError: fps or rate is not positive.
        DataError: there are no frames, or FFmpeg refuses them.
        StorageError: no space, no permission, no such folder.
    """
    path = Path(path)
    if not fps > 0 or not rate > 0:
        raise OptionError("fps and rate must be positive", where=str(path), found=f"fps {fps:g}, rate {rate:g}")
    blocks = iter([audio] if isinstance(audio, np.ndarray) else audio) if audio is not None else None
    write_pairs(path, _paired(frames, blocks, rate / fps), fps, rate)


def cut_clip(source: str | Path, start: float, end: float, path: str | Path) -> None:
    """Encode the interval [start, end) seconds of a file, with mono sound, as an mp4 file of its own.

    Frame rates become the nearest of 5 to 30 frames per second. A missing stream stays missing; without pictures the
    clip shows a black frame.

    Raises:
        OptionError: the interval is empty or before second 0.
        DataError: the source cannot be read, or the interval starts after its end.
        StorageError: the clip cannot be written.
    """
    if not end > start:
        raise OptionError("empty interval", where=str(source), found=f"{start:g}-{end:g} s", expected="end after start")
    video = probe(source).video
    fps = min(_FRAME_RATES, key=lambda rate: abs(rate - (video.frame_rate if video else 10.0)))
    segments = read_media(
        source,
        frames=FrameSampling(per_segment=1, prepare=lambda frame: frame),
        audio=AudioSampling(rate=_CUT_RATE),
        seconds=1 / fps,
        start=start,
        duration=end - start,
    )
    black = np.zeros((144, 256, 3), np.uint8)
    with segments:
        pairs = ((part.frames[0] if part.frames is not None else black, part.audio) for part in segments)
        write_pairs(Path(path), pairs, fps, _CUT_RATE)


def _paired(
    frames: Iterable[np.ndarray], blocks: Iterator[np.ndarray] | None, samples_per_frame: float
) -> Iterator[tuple[np.ndarray | None, np.ndarray | None]]:
    """Each frame with as many blocks as start in it, then the blocks that are left."""
    taken = 0
    for number, frame in enumerate(frames, 1):
        picture: np.ndarray | None = frame
        while blocks is not None and taken < number * samples_per_frame and (block := next(blocks, None)) is not None:
            taken += block.shape[-1]
            yield picture, block
            picture = None
        if picture is not None:
            yield picture, None
    for block in blocks or ():
        yield None, block
