"""Rows of a picture: frames, sound, relevance, X-ray, events. Each draws itself at a height and says how high it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from avelzoo.charts.drawing import Curve, Drawing, Line, Photo, Rectangle, Text
from avelzoo.charts.text import shortened, text_width, wrapped
from avelzoo.timeline.axis import clock, merged
from avelzoo.timeline.event import Event
from avelzoo.timeline.preview import Waveform

if TYPE_CHECKING:
    from avelzoo.timeline.records import SegmentScores

LABELS, RIGHT, SMALL = 150.0, 44.0, 11.0
"""Widths left and right of the time axis; size of small letters."""
LANE, MOST_LANES = 26.0, 12
NARROW = 2.0
"""Events narrower than this many pixels are drawn this wide; those closer than half of it are drawn as one."""


@dataclass(frozen=True)
class Frame:
    """The time axis on the page.

    Attributes:
        drawing: the page.
        start: time at the left end in seconds.
        end: time at the right end.
    """

    drawing: Drawing
    start: float
    end: float

    @property
    def width(self) -> float:
        """Pixels from ``start`` to ``end``."""
        return self.drawing.width - LABELS - RIGHT

    def x(self, seconds: float) -> float:
        """Pixel of a time, within the axis."""
        share = (seconds - self.start) / max(self.end - self.start, 1e-9)
        return LABELS + self.width * min(max(share, 0.0), 1.0)

    def label(self, y: float, text: str, *, lines: int = 2) -> None:
        """Name of a row, right-aligned beside it around the height y."""
        parts = wrapped(text, 12, LABELS - 20, lines)
        for i, part in enumerate(parts):
            self.drawing.add(Text(LABELS - 10, y + 4 + 14 * (i - (len(parts) - 1) / 2), part, anchor="end"))


def frames_row(page: Frame, top: float, frames: Sequence[tuple[float, np.ndarray]]) -> float:
    """A strip of small pictures, each where it was seen."""
    tall, wide = frames[0][1].shape[:2]
    height = 54.0
    width = min(height * wide / tall, page.width)
    count = max(1, min(len(frames), int(np.ceil(page.width / width))))
    slot = page.width / count
    times = np.array([time for time, _ in frames])
    for i in range(count):
        middle = page.start + (page.end - page.start) * (i + 0.5) / count
        before = max(int(np.searchsorted(times, middle, side="right")) - 1, 0)
        pixels = frames[before][1]
        shown = min(width, slot - 2) if count > 1 else width
        page.drawing.add(Photo(LABELS + i * slot + (slot - shown) / 2, top, shown, height, pixels))
    page.label(top + height / 2, "frames")
    return height


def sound_row(page: Frame, top: float, sound: Waveform) -> float:
    """The outline of the sound around its zero line, scaled to its loudest sample."""
    height = 44.0
    middle = top + height / 2
    k = len(sound.peaks)
    loudest = max(float(np.abs(sound.peaks).max()), 1e-4)
    edges = sound.start + (sound.end - sound.start) * (np.arange(k) + 0.5) / k
    upper = [
        (page.x(t), middle - height / 2 * max(float(high) / loudest, 0.02))
        for t, (_, high) in zip(edges, sound.peaks, strict=True)
    ]
    lower = [
        (page.x(t), middle - height / 2 * min(float(low) / loudest, -0.02))
        for t, (low, _) in zip(edges, sound.peaks, strict=True)
    ]
    page.drawing.add(Curve([*upper, *reversed(lower)], fill="wave"))
    page.label(middle, "sound")
    return height


def steps(page: Frame, scores: SegmentScores, values: np.ndarray, *, how: str) -> tuple[np.ndarray, np.ndarray]:
    """Edges (k+1) in seconds and values (k), one per pixel at most: the largest or the mean of its segments."""
    t = len(values)
    per = max(1, int(np.ceil(t / max(page.width, 1))))
    firsts = np.arange(0, t, per)
    pooled = (
        np.maximum.reduceat(values, firsts) if how == "max" else np.add.reduceat(values, firsts) / np.diff([*firsts, t])
    )
    return scores.start + scores.seconds_per_segment * np.array([*firsts, t]), pooled


def stairs(page: Frame, edges: np.ndarray, heights: np.ndarray) -> list[tuple[float, float]]:
    """Corners of a step function, by edges in seconds and pixels from the top."""
    points = []
    for i, y in enumerate(heights):
        points += [(page.x(edges[i]), float(y)), (page.x(edges[i + 1]), float(y))]
    return points


def relevance_row(page: Frame, top: float, scores: SegmentScores, threshold: float | None) -> float:
    """Event versus background over time, and the threshold."""
    height = 76.0
    right = page.drawing.width - RIGHT
    for level in (0.0, 0.5, 1.0):
        y = top + height * (1 - level)
        page.drawing.add(Line(LABELS, y, right, y, "grid"))
        if threshold is None or abs(threshold - level) > 0.15:
            page.drawing.add(Text(right + 5, y + 4, f"{level:g}", SMALL, "muted"))
    edges, values = steps(page, scores, scores.relevance, how="max")
    corners = stairs(page, edges, top + height * (1 - np.clip(values, 0, 1)))
    base = top + height
    page.drawing.add(Curve([(corners[0][0], base), *corners, (corners[-1][0], base)], fill="relevance", opacity=0.16))
    page.drawing.add(Curve(corners, stroke="relevance"))
    if threshold is not None:
        y = top + height * (1 - threshold)
        page.drawing.add(Line(LABELS, y, right, y, "threshold", dashed=True))
        page.drawing.add(Text(right + 5, y + 4, f"{threshold:.2f}", SMALL, "threshold"))
    page.label(top + height / 2, "relevance")
    return height


def xray_row(page: Frame, top: float, scores: SegmentScores) -> float:
    """Parts of the relevance that came from sound and from sight; below zero they spoke against an event."""
    height = 60.0
    assert scores.audio_share is not None and scores.visual_share is not None
    edges, heard = steps(page, scores, scores.audio_share, how="mean")
    _, seen = steps(page, scores, scores.visual_share, how="mean")
    low = min(float(heard.min()), float(seen.min()), 0.0)
    high = max(float(heard.max()), float(seen.max()), 0.0)
    high, low = max(high, 0.1), min(low, 0.0 if low > -0.02 else low)
    zero = top + height * high / (high - low)
    right = page.drawing.width - RIGHT
    for name, values in (("audio", heard), ("visual", seen)):
        corners = stairs(page, edges, zero - height * np.asarray(values) / (high - low))
        area = [(corners[0][0], zero), *corners, (corners[-1][0], zero)]
        page.drawing.add(Curve(area, fill=name, opacity=0.28), Curve(corners, stroke=name))
    page.drawing.add(Line(LABELS, zero, right, zero, "muted"))
    page.drawing.add(
        Text(right + 5, top + 8, f"{high:+.1f}", SMALL, "muted"), Text(right + 5, zero + 4, "0", SMALL, "muted")
    )
    page.drawing.add(Text(LABELS - 10, top + height / 2 - 8, "came from", anchor="end"))
    page.drawing.add(Text(LABELS - 10, top + height / 2 + 7, "■ sound", 12, "audio", "end"))
    page.drawing.add(Text(LABELS - 10, top + height / 2 + 22, "■ sight", 12, "visual", "end"))
    return height


def events_rows(page: Frame, top: float, events: Sequence[Event], nothing: str) -> float:
    """A lane for each category, in the order of its first event; many categories share the last lane."""
    if not events:
        page.label(top + LANE / 2, "events")
        page.drawing.add(Rectangle(LABELS, top, page.width, LANE, "band", 3))
        page.drawing.add(Text(LABELS + 8, top + LANE / 2 + 4, shortened(nothing, 12, page.width - 16), fill="muted"))
        return LANE
    lanes: dict[str, list[Event]] = {}
    for event in events:
        lanes.setdefault(event.category, []).append(event)
    names = list(lanes)
    if len(names) > MOST_LANES:
        rest = names[MOST_LANES - 1 :]
        lanes[f"{len(rest)} more categories"] = [event for name in rest for event in lanes.pop(name)]
    for i, (name, found) in enumerate(lanes.items()):
        y = top + i * (LANE + 4)
        page.drawing.add(Rectangle(LABELS, y, page.width, LANE, "band", 3))
        page.label(y + LANE / 2, name)
        _bars(page, y, name, found)
    return len(lanes) * (LANE + 4) - 4


def _bars(page: Frame, y: float, name: str, events: Sequence[Event]) -> None:
    gap = NARROW / 2 * (page.end - page.start) / page.width
    for start, end, count in merged([(event.start, event.end) for event in events], gap):
        left = page.x(start)
        width = max(page.x(end) - left, NARROW)
        span = f"{clock(start, page.end)} to {clock(end, page.end)}"
        several = f", {count} events" if count > 1 else ""
        page.drawing.add(Rectangle(left, y + 3, width, LANE - 6, "event", 3, f"{name}: {span}{several}"))
        if text_width(span, SMALL) + 10 < width:
            page.drawing.add(Text(left + 6, y + LANE / 2 + 4, span, SMALL, "on-event"))
