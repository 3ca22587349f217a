"""Three videos of `worlds`: which modality follows the event, and which one misleads."""

from __future__ import annotations

import numpy as np

from avelzoo import WorldsConfig
from avelzoo.builtin.datasets.worlds_generator import BIASES, Scene, World
from pictures.sheet import Sheet

WORDS = {
    "audio-led": "sound follows the event, sight does not",
    "visual-led": "sight follows the event, sound does not",
    "balanced": "both follow the event",
}


def scenes() -> dict[str, Scene]:
    """Of each kind of category, the first training video whose event is short and whose other modality misleads."""
    world = World(WorldsConfig())
    found: dict[str, Scene] = {}
    for number in range(1000):
        scene = world.scene("train", number)
        bias = world.biases[scene.category]
        loose = scene.seen if bias == "audio-led" else scene.heard
        misled = bias == "balanced" or not np.array_equal(loose, scene.event)
        if 1 < scene.event.sum() < 6 and misled and loose.sum() < 7:
            found.setdefault(bias, scene)
    return {bias: found[bias] for bias in BIASES}


def cues() -> str:
    """Event, sound and sight of each video as strips of segments."""
    chosen = scenes()
    told = ". ".join(
        f"{bias}: event in {_segments(s.event)}, sound in {_segments(s.heard)}, sight in {_segments(s.seen)}"
        for bias, s in chosen.items()
    )
    sheet = Sheet(
        "Three videos of worlds: the event, and when its object is heard and seen",
        f"Ten segments of a training video for each kind of category. {told}.",
        760,
        176,
    )
    for i, (bias, scene) in enumerate(chosen.items()):
        x = 16 + i * 252.0
        sheet.heading(x, 26, bias)
        sheet.text(x, 44, WORDS[bias], anchor="start")
        for j, (name, marks, colour) in enumerate(
            (("event", scene.event, "event"), ("sound", scene.heard, "audio"), ("sight", scene.seen, "visual"))
        ):
            y = 74 + j * 34.0
            sheet.text(x, y + 10, name, anchor="start")
            sheet.strip(x + 48, y, [bool(mark) for mark in marks], cell=18.0, colour=colour)
    return sheet.svg()


def _segments(marks: np.ndarray) -> str:
    return "segments " + ", ".join(str(i + 1) for i in np.flatnonzero(marks)) if marks.any() else "no segment"
