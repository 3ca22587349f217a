"""What happens in a clip: which thing, when it can be seen in action, when it can be heard, and what distracts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Lead = Literal["audio-led", "visual-led", "balanced"]

LEADS: dict[str, Lead] = {
    "siren": "audio-led",
    "kettle": "audio-led",
    "fan": "visual-led",
    "engine": "visual-led",
    "ball": "balanced",
    "bell": "balanced",
}
"""Category -> the modality that decides. An audio-led thing is in action all the time and sounds during the event; a
visual-led thing sounds all the time and is in action during the event; a balanced one begins and ends both."""
SECONDS = 10
SHORTEST, LONGEST = 2, 7

Span = tuple[int, int]
"""Start and end in whole seconds."""
WHOLE: Span = (0, SECONDS)


@dataclass(frozen=True)
class Scene:
    """One clip of ten seconds.

    Attributes:
        name: file name without suffix.
        category: the thing that is shown.
        event: when it is both seen in action and heard; None for a clip without an event.
        seen: when it is in action.
        heard: when it sounds.
        decoy: when a silent square crosses the picture.
        knocks: seconds at which something off-screen knocks.
        seed: of the clip's colours, places and noise.
    """

    name: str
    category: str
    event: Span | None
    seen: Span | None
    heard: Span | None
    decoy: Span
    knocks: tuple[int, ...]
    seed: int


def draw_scenes(count: int, seed: int, prefix: str, *, empty: float = 0.1) -> list[Scene]:
    """Scenes with the categories in turn.

    Args:
        count: number of clips.
        seed: seed of all scenes.
        prefix: beginning of the names.
        empty: share of clips without an event: the thing is seen in action or heard, not both.
    """
    names = list(LEADS)
    rng = np.random.default_rng(seed)
    found = []
    for number in range(count):
        category = names[number % len(names)]
        event = _span(rng, 0, SECONDS)
        seen: Span | None
        heard: Span | None
        seen, heard = _both(LEADS[category], event)
        if rng.random() < empty:
            seen, heard = (seen, None) if LEADS[category] == "audio-led" else (None, heard)
        scene = Scene(
            name=f"{prefix}-{number:03d}-{category}",
            category=category,
            event=event if seen and heard else None,
            seen=seen,
            heard=heard,
            decoy=_span(rng, 0, SECONDS),
            knocks=tuple(sorted(rng.choice(SECONDS, 2, replace=False).tolist())),
            seed=int(rng.integers(2**31)),
        )
        found.append(scene)
    return found


def _both(lead: Lead, event: Span) -> tuple[Span, Span]:
    """When the thing is seen in action and when it is heard; the event is the time that both have in common."""
    if lead == "audio-led":
        return WHOLE, event
    return (event, WHOLE) if lead == "visual-led" else (event, event)


def _span(rng: np.random.Generator, low: int, high: int) -> Span:
    length = int(rng.integers(SHORTEST, LONGEST + 1))
    start = int(rng.integers(low, high - length + 1))
    return start, start + length
