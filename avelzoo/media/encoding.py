"""Encoding pairs of a frame and a block of samples into an mp4 file."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from avelzoo.errors import DataError, reason
from avelzoo.media.backend import av, decoding_errors
from avelzoo.system.files import write_whole

_CODECS = {"libx264": {"crf": "20", "preset": "veryfast"}, "mpeg4": {"qmin": "2", "qmax": "5"}}
"""Video encoders, best first, with their settings: FFmpeg without GPL parts has the second one only."""
_LAYOUTS = {1: "mono", 2: "stereo"}

Pair = tuple[np.ndarray | None, np.ndarray | None]
"""A frame (h w 3) and the samples (samples) or (channels samples) that are heard with it."""


def write_pairs(path: Path, pairs: Iterable[Pair], fps: float, rate: int) -> None:
    """Encode pairs as they come, into a file that is written whole or not at all.

    The first pair decides the size of the picture and the channels; without a block in it the clip has no sound.

    Raises:
        DataError: there are no frames, or FFmpeg refuses them.
        StorageError: no space, no permission, no such folder.
    """

    def write(scratch: Path) -> None:
        stream = iter(pairs)
        first = next(stream, None)
        if first is None or first[0] is None:
            raise DataError("no frames for a clip", where=str(path))
        try:
            with av().open(str(scratch.absolute()), "w", format="mp4") as container:
                encoder = _Encoder(container, first[0], first[1], fps, rate)
                encoder.add(first)
                for pair in stream:
                    encoder.add(pair)
                encoder.finish()
        except decoding_errors() as error:
            if isinstance(error, OSError):  # disk full and the like
                raise
            raise DataError("clip cannot be encoded", where=str(path), found=reason(error)) from error

    write_whole(path, write)


class _Encoder:
    """Both streams of an open container."""

    def __init__(self, container: Any, frame: np.ndarray, block: np.ndarray | None, fps: float, rate: int) -> None:
        self._container = container
        self._reformatter = av().video.reformatter.VideoReformatter()
        self._rate, self._samples, self._count = rate, 0, 0
        self._height, self._width = (side - side % 2 for side in frame.shape[:2])
        codec = next(name for name in _CODECS if name in av().codecs_available)
        self._video = container.add_stream(codec, rate=Fraction(fps).limit_denominator(1001), options=_CODECS[codec])
        self._video.width, self._video.height, self._video.pix_fmt = self._width, self._height, "yuv420p"
        self._audio = None
        if block is not None:
            self._layout = _LAYOUTS[1 if block.ndim == 1 else len(block)]
            self._audio = container.add_stream("aac", rate=rate, layout=self._layout)

    def add(self, pair: Pair) -> None:
        """Encode a frame and a block, where there are any."""
        picture, block = pair
        if picture is not None:
            cut = np.ascontiguousarray(picture[: self._height, : self._width])
            frame = self._reformatter.reformat(av().VideoFrame.from_ndarray(cut, format="rgb24"), format="yuv420p")
            frame.pts, frame.time_base = self._count, 1 / Fraction(self._video.codec_context.framerate)
            self._count += 1
            self._container.mux(self._video.encode(frame))
        if block is not None and self._audio is not None:
            samples = np.ascontiguousarray(np.atleast_2d(block), np.float32)
            sound = av().AudioFrame.from_ndarray(samples, format="fltp", layout=self._layout)
            sound.sample_rate, sound.pts, sound.time_base = self._rate, self._samples, Fraction(1, self._rate)
            self._samples += samples.shape[1]
            self._container.mux(self._audio.encode(sound))

    def finish(self) -> None:
        """Empty the encoders."""
        self._container.mux(self._video.encode(None))
        if self._audio is not None:
            self._container.mux(self._audio.encode(None))
