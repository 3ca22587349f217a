"""Sound of a scene: the thing while it is heard, knocks from off-screen, noise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from avelzoo.demo.scenes import SECONDS, Scene

RATE = 16000
NOISE, KNOCK = 0.01, 0.12


def _tone(time: np.ndarray, frequency: float) -> np.ndarray:
    return _phase(2 * np.pi * frequency * time)


def _phase(phase: np.ndarray) -> np.ndarray:
    wave: np.ndarray = np.sin(phase)
    return wave


def _strokes(time: np.ndarray, period: float, decay: float) -> np.ndarray:
    """Envelope of strokes at multiples of the period."""
    strokes: np.ndarray = np.exp(-decay * (time % period))
    return strokes


def _siren(time: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    wave: np.ndarray = 0.3 * _phase(2 * np.pi * 900 * time + 300 * _tone(time, 1))
    return wave


def _kettle(time: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    hiss: np.ndarray = 0.04 * rng.standard_normal(len(time))
    wave: np.ndarray = 0.2 * _phase(2 * np.pi * 2600 * time + 3 * _tone(time, 6)) + hiss
    return wave


def _fan(time: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    wind: np.ndarray = 0.08 * rng.standard_normal(len(time))
    wave: np.ndarray = 0.15 * _tone(time, 180) + wind * (1 + 0.5 * _tone(time, 5))
    return wave


def _engine(time: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    sawtooth: np.ndarray = 2 * ((70 * time) % 1) - 1
    wave: np.ndarray = 0.25 * sawtooth * (1 + 0.3 * _tone(time, 11))
    return wave


def _ball(time: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    wave: np.ndarray = 0.6 * _tone(time, 420) * _strokes(time, 0.5, 25)
    return wave


def _bell(time: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    wave: np.ndarray = (0.25 * _tone(time, 1320) + 0.15 * _tone(time, 3170)) * _strokes(time, 0.5, 4)
    return wave


THINGS: dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    "siren": _siren,
    "kettle": _kettle,
    "fan": _fan,
    "engine": _engine,
    "ball": _ball,
    "bell": _bell,
}


def sound(scene: Scene) -> np.ndarray:
    """(samples) float32 in [-1, 1], `RATE` a second."""
    rng = np.random.default_rng([scene.seed, 1])
    time = np.arange(SECONDS * RATE) / RATE
    found = NOISE * rng.standard_normal(len(time))
    for knock in scene.knocks:
        later = time - knock - rng.uniform(0, 0.8)
        found += KNOCK * np.where(later >= 0, np.exp(-30 * later.clip(0)), 0) * _tone(time, 230)
    if scene.heard is not None:
        inside = (time >= scene.heard[0]) & (time < scene.heard[1])
        found[inside] += rng.uniform(0.7, 1.0) * THINGS[scene.category](time[inside], rng)
    return found.clip(-1, 1).astype(np.float32)
