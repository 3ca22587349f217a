"""The mean of a frame's channels."""

from __future__ import annotations

from typing import Any

import numpy as np

from avelzoo.media.backend import av

_ZERO = {"u1": 128.0}
_FULL = {"u1": 2.0**7, "i2": 2.0**15, "i4": 2.0**31}
_PLANES = 8
"""PyAV reads past the end of frames that have a plane for each of this many channels (18 and 19)."""


class Mixer:
    """Turns audio frames of any sample format and layout into mono.

    Channels are averaged in NumPy: FFmpeg's own mix in floating point is louder by the square root of 2.
    """

    def __init__(self) -> None:
        self._packer: Any = None
        self._packs: tuple[Any, ...] = ()

    def __call__(self, frame: Any) -> np.ndarray:
        """Mean over channels, float32, 1.0 at full scale."""
        channels = frame.layout.nb_channels
        if frame.format.is_planar and channels >= _PLANES:
            frame = self._packed(frame)
        samples: np.ndarray = frame.to_ndarray()
        kind = samples.dtype.str[1:]
        if channels == 1:
            mean = samples.reshape(-1)
        else:
            mean = samples.mean(0) if frame.format.is_planar else samples.reshape(-1, channels).mean(1)
        if kind not in _FULL:
            return np.asarray(np.nan_to_num(mean), np.float32)
        return np.asarray((mean - _ZERO.get(kind, 0.0)) / _FULL[kind], np.float32)

    def _packed(self, frame: Any) -> Any:
        """The same samples with the channels side by side in one plane."""
        packs = (frame.format.name, frame.layout.name, frame.sample_rate)
        if packs != self._packs:
            self._packer = av().AudioResampler(format="flt", layout=frame.layout.name, rate=frame.sample_rate)
            self._packs = packs
        (packed,) = self._packer.resample(frame)
        return packed
