"""Files with time stamps, layouts and marks of the test's choice, written by PyAV itself."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from tests.media.clips import HEIGHT, WIDTH, drawn

MILLISECOND = Fraction(1, 1000)


def mux(
    path: Path,
    *,
    frames: Sequence[float] = (),
    sound: Sequence[tuple[float, np.ndarray]] = (),
    rate: int = 44100,
    layout: str = "mono",
    codec: str = "libx264",
    audio_codec: str = "aac",
    rotation: int = 0,
    cover: bool = False,
    options: dict[str, str] | None = None,
    tick: Fraction = MILLISECOND,
) -> Path:
    """Frames 0, 1, 2, ... at these seconds, and blocks of samples (channels samples) at theirs."""
    import av

    with av.open(str(path), "w", options=options or {}) as container:
        if len(frames):
            settings = {"crf": "20", "preset": "veryfast"} if codec == "libx264" else {}
            video = container.add_stream(codec, rate=25, options=settings)
            video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuvj420p" if codec == "mjpeg" else "yuv420p"
            video.codec_context.time_base = tick
            if cover:
                video.disposition = av.stream.Disposition.attached_pic
            if rotation:
                video.set_display_rotation(rotation)
        if len(sound):
            audio = container.add_stream(audio_codec, rate=rate, layout=layout)
        for number, second in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(drawn(number), format="rgb24").reformat(format=video.pix_fmt)
            frame.pts, frame.time_base = round(second / tick), tick
            container.mux(video.encode(frame))
        if len(frames):
            container.mux(video.encode(None))
        kind = "s16" if audio_codec == "pcm_s16le" else "flt"
        for second, block in sound:
            whole = np.ascontiguousarray(np.atleast_2d(block), np.float32)
            for low in range(0, whole.shape[1], 1024):
                part = whole[:, low : low + 1024]
                part = np.ascontiguousarray(part.T.reshape(1, -1))  # packed: PyAV cannot make eight planes
                part = (part * 32768).astype(np.int16) if kind == "s16" else part
                frame = av.AudioFrame.from_ndarray(part, format=kind, layout=layout)
                frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
                frame.pts = round(second * rate) + low
                container.mux(audio.encode(frame))
        if len(sound):
            container.mux(audio.encode(None))
    return path


def steady(seconds: float, fps: float = 25.0) -> list[float]:
    """Times of frames at a constant rate."""
    return [number / fps for number in range(round(seconds * fps))]
