"""Small clips with sound, written by PyAV."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from avelzoo.media.writing import write_clip

RATE, FPS = 8000, 5


def clip(path: Path, seconds: float = 3.0, seed: int = 0, *, sound: bool = True) -> Path:
    """A moving bar and a tone whose level, speed and pitch follow the seed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frames = []
    for i in range(round(seconds * FPS)):
        frame = np.full((48, 64, 3), 40 + 10 * (seed % 9), np.uint8)
        place = (i * (1 + seed % 5)) % 60
        frame[:, place : place + 4] = 250
        frames.append(frame)
    time = np.arange(round(seconds * RATE)) / RATE
    tone = (0.3 * np.sin(2 * np.pi * (200 + 50 * seed) * time)).astype(np.float32)
    write_clip(path, frames, tone if sound else None, FPS, RATE)
    return path
