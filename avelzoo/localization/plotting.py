"""Pictures of results: frames and sound are read once more, so that stored results can be drawn too."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from avelzoo.errors import DataError
from avelzoo.extractors import AudioSampling, FrameSampling
from avelzoo.media.reading import read_media
from avelzoo.system.files import make_folder, write_bytes
from avelzoo.timeline.picture import timeline_png, timeline_svg
from avelzoo.timeline.preview import Preview
from avelzoo.timeline.records import Localization

RATE = 8000
"""Samples per second of the drawn sound."""


def plot(result: Localization, target: Path, *, threshold: float | None = None) -> list[Path]:
    """Write the picture of a result as ``target.svg`` and ``target.png``; returns the files.

    A video that can no longer be read is drawn without frames and sound.

    Args:
        result: result with scores.
        target: path of the files without their end.
        threshold: relevance above which a segment is an event; None if the rule has none.

    Raises:
        StorageError: a file cannot be written.
        UsageError: Pillow is missing.
    """
    shown = _preview(result)
    make_folder(target.parent)
    svg = timeline_svg(result, frames=shown.frames, waveform=shown.waveform, threshold=threshold)
    png = timeline_png(result, frames=shown.frames, waveform=shown.waveform, threshold=threshold)
    files = [target.with_name(target.name + end) for end in (".svg", ".png")]
    for path, content in zip(files, (svg.encode("utf-8", "backslashreplace"), png), strict=True):
        write_bytes(path, content)
    return files


def _preview(result: Localization) -> Preview:
    preview = Preview()
    scores = result.scores
    if scores is None:
        return preview
    step = scores.seconds_per_segment
    frames = FrameSampling(per_segment=1, prepare=preview.watching(_nothing))
    try:
        with read_media(
            result.path,
            frames=frames,
            audio=AudioSampling(rate=RATE),
            seconds=step,
            start=scores.start,
            duration=scores.t * step,
        ) as reader:
            for segment in reader:
                preview.add(segment.start, step, segment.audio)
    except (DataError, OSError):
        return Preview()
    return preview


def _nothing(frame: np.ndarray) -> np.ndarray:
    return np.zeros(1, dtype=np.uint8)
