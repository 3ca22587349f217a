"""Frames of a scene: a coloured room, the thing at rest or in action, a silent square that crosses."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from avelzoo.demo.scenes import SECONDS, Scene, Span

HEIGHT, WIDTH, FPS = 72, 96, 8
NOISE, GRAINS = 3.0, 5
SCALE = HEIGHT / 62
"""Pixels of a unit of length of the things."""

Colour = tuple[int, int, int]


class Canvas:
    """A picture (h w 3) with coordinates from the centre of the thing.

    Args:
        pixels: float levels, 0 to 255; painted in place.
        x: column of the thing's centre.
        y: row of the thing's centre.
    """

    def __init__(self, pixels: np.ndarray, x: float, y: float) -> None:
        self._pixels = pixels
        self._dx = (np.arange(pixels.shape[1], dtype=np.float32) - x) / SCALE
        self._dy = (np.arange(pixels.shape[0], dtype=np.float32)[:, None] - y) / SCALE

    def box(self, x: float, y: float, width: float, height: float, colour: Colour) -> None:
        """Fill a rectangle around (x, y)."""
        inside = (np.abs(self._dx - x) <= width / 2) & (np.abs(self._dy - y) <= height / 2)
        self._pixels[inside] = colour

    def disc(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """Fill a circle around (x, y)."""
        self._pixels[(self._dx - x) ** 2 + (self._dy - y) ** 2 <= radius**2] = colour


def _siren(canvas: Canvas, time: float, active: bool) -> None:
    canvas.box(0, 6, 40, 16, (190, 190, 200))
    lit = active and (time * 4) % 1 < 0.5
    canvas.disc(0, -8, 8, (70, 110, 255) if lit else (25, 30, 70))


def _kettle(canvas: Canvas, time: float, active: bool) -> None:
    canvas.disc(0, 8, 14, (200, 60, 50))
    canvas.box(14, 2, 10, 4, (200, 60, 50))
    for i in range(3 if active else 0):
        rise = (time * 1.6 + i / 3) % 1
        canvas.disc(18 + 6 * np.sin(9 * rise + i), -4 - 26 * rise, 3 + 4 * rise, (235, 235, 235))


def _fan(canvas: Canvas, time: float, active: bool) -> None:
    canvas.disc(0, 0, 20, (40, 90, 60))
    turn = 2 * np.pi * 1.7 * time if active else 0.4
    for blade in range(3):
        angle = turn + 2 * np.pi * blade / 3
        canvas.disc(11 * np.cos(angle), 11 * np.sin(angle), 6, (150, 230, 170))


def _engine(canvas: Canvas, time: float, active: bool) -> None:
    x = 26 * np.sin(2 * np.pi * 0.8 * time) if active else 0.0
    canvas.box(x, 0, 36, 12, (240, 170, 40))
    for wheel in (-11, 11):
        canvas.disc(x + wheel, 9, 5, (30, 30, 30))


def _ball(canvas: Canvas, time: float, active: bool) -> None:
    height = 30 * abs(np.sin(np.pi * 2 * time)) if active else 0.0
    canvas.box(0, 22, 50, 3, (120, 90, 60))
    canvas.disc(0, 13 - height, 8, (230, 60, 200))


def _bell(canvas: Canvas, time: float, active: bool) -> None:
    swing = 16 * np.sin(2 * np.pi * time) if active else 0.0
    canvas.box(0, -22, 44, 3, (90, 70, 50))
    canvas.box(swing / 2, -10, 3, 22, (160, 140, 60))
    canvas.disc(swing, 6, 12, (235, 205, 70))


THINGS: dict[str, Callable[[Canvas, float, bool], None]] = {
    "siren": _siren,
    "kettle": _kettle,
    "fan": _fan,
    "engine": _engine,
    "ball": _ball,
    "bell": _bell,
}


def frames(scene: Scene) -> Iterator[np.ndarray]:
    """(h w 3) uint8 frames of a scene, `FPS` a second."""
    rng = np.random.default_rng([scene.seed, 0])
    walls = np.linspace(rng.uniform(50, 110, 3), rng.uniform(50, 110, 3), HEIGHT)[:, None]
    room = np.repeat(walls, WIDTH, axis=1).astype(np.float32)
    grain = NOISE * rng.standard_normal((GRAINS, *room.shape), dtype=np.float32)
    x, y = rng.uniform(0.3, 0.7) * WIDTH, rng.uniform(0.4, 0.6) * HEIGHT
    lane = rng.uniform(0.08, 0.92) * HEIGHT
    for number in range(SECONDS * FPS):
        time = number / FPS
        pixels = room + grain[number % GRAINS]
        if active(scene.decoy, time):
            Canvas(pixels, (time * 31) % WIDTH, lane).box(0, 0, 12, 12, (150, 150, 150))
        THINGS[scene.category](Canvas(pixels, x, y), time, active(scene.seen, time))
        yield pixels.clip(0, 255).astype(np.uint8)


def active(span: Span | None, time: float) -> bool:
    """Whether a time lies in a span."""
    return span is not None and span[0] <= time < span[1]
