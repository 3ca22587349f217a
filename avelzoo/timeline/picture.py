"""The picture of a localized video: frames, sound, relevance, modality X-ray and events on one time axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from avelzoo.charts.drawing import Drawing, Line, Rectangle, Text
from avelzoo.charts.raster import png
from avelzoo.charts.svg import svg
from avelzoo.charts.text import shortened, wrapped
from avelzoo.timeline.axis import clock, ticks
from avelzoo.timeline.rows import (
    LABELS,
    RIGHT,
    SMALL,
    Frame,
    events_rows,
    frames_row,
    relevance_row,
    sound_row,
    xray_row,
)

if TYPE_CHECKING:
    from avelzoo.timeline.event import Event
    from avelzoo.timeline.preview import Waveform
    from avelzoo.timeline.records import Localization, SegmentScores

WIDTH, EDGE, BETWEEN = 960.0, 16.0, 14.0
TOLD = 20
"""Events that the description lists; the picture shows all."""

Frames = Sequence[tuple[float, np.ndarray]]
"""(second, (h w 3) uint8) in the order of time."""


def timeline_svg(
    found: Localization, *, frames: Frames = (), waveform: Waveform | None = None, threshold: float | None = None
) -> str:
    """The picture as a self-contained SVG file, in light or dark as the reader prefers, with title and description.

    Args:
        found: result for one video.
        frames: small frames, as `Preview.frames` gives them.
        waveform: outline of the sound, as `Preview.waveform` gives it.
        threshold: relevance above which a segment is an event; None if the rule has none.
    """
    return svg(timeline_drawing(found, frames=frames, waveform=waveform, threshold=threshold))


def timeline_png(
    found: Localization, *, frames: Frames = (), waveform: Waveform | None = None, threshold: float | None = None
) -> bytes:
    """The picture as a PNG file in light colours, two pixels for one of the SVG; arguments as `timeline_svg`.

    Raises:
        UsageError: Pillow is missing.
    """
    return png(timeline_drawing(found, frames=frames, waveform=waveform, threshold=threshold))


def timeline_drawing(
    found: Localization, *, frames: Frames = (), waveform: Waveform | None = None, threshold: float | None = None
) -> Drawing:
    """The picture's shapes; arguments as `timeline_svg`."""
    scores = found.scores
    start, end = _bounds(found, scores)
    name = found.path.replace("\\", "/").rsplit("/", 1)[-1] or found.path
    drawing = Drawing(WIDTH, title=f"Audio-visual events in {name}", description=_description(found, end))
    page = Frame(drawing, start, end)
    y = _heading(drawing, found, name)
    top = y
    if frames:
        y += frames_row(page, y, frames) + BETWEEN
    if waveform is not None and len(waveform.peaks):
        y += sound_row(page, y, waveform) + BETWEEN
    if scores is not None and scores.t:
        y += relevance_row(page, y, scores, threshold) + BETWEEN
        if scores.audio_share is not None and scores.visual_share is not None:
            y += xray_row(page, y, scores) + BETWEEN
    y += events_rows(page, y, found.events, found.reason or "no event")
    if end > start:
        y = _axis(page, top, y)
    drawing.height = y + EDGE
    drawing.shapes.insert(0, Rectangle(0, 0, WIDTH, drawing.height, "paper"))
    return drawing


def events_svg(events: Sequence[Event], duration: float) -> str:
    """Events alone on a time axis, for notebooks."""
    drawing = Drawing(WIDTH, title="Events", description=_listed(events, duration))
    page = Frame(drawing, 0.0, duration)
    y = EDGE + events_rows(page, EDGE, events, "no event")
    if duration > 0:
        y = _axis(page, EDGE, y)
    drawing.height = y + EDGE / 2
    drawing.shapes.insert(0, Rectangle(0, 0, WIDTH, drawing.height, "paper"))
    return svg(drawing)


def _bounds(found: Localization, scores: SegmentScores | None) -> tuple[float, float]:
    if scores is None or not scores.t:
        return 0.0, max([found.duration, *(event.end for event in found.events)])
    last = scores.start + scores.t * scores.seconds_per_segment
    ends = [event.end for event in found.events]
    return scores.start, max([min(last, found.duration) if found.duration > scores.start else last, *ends])


def _heading(drawing: Drawing, found: Localization, name: str) -> float:
    """File name, what was decided and how; returns the height below."""
    room = WIDTH - 2 * EDGE
    drawing.add(Text(EDGE, 30, shortened(name, 16, room), 16, bold=True))
    count = len(found.events)
    facts = [f"{count} event{'' if count == 1 else 's'}" if count else "no event"]
    facts += [found.decision] if found.decision else []
    facts += [] if found.status == "ok" else [found.status.replace("-", " ")]
    if found.status == "unreadable":
        facts = [f"unreadable: {found.reason}" if found.reason else "unreadable"]
    y = 50.0
    remarks = [*([found.reason] if found.reason and found.events else []), *found.notices]
    lines = [*wrapped("; ".join(facts), 12, room, 2), *(wrapped("; ".join(remarks), 12, room, 2) if remarks else [])]
    for line in lines:
        drawing.add(Text(EDGE, y, line, 12, "muted"))
        y += 16
    return y + 4


def _axis(page: Frame, top: float, bottom: float) -> float:
    """Ticks and vertical lines behind the rows; returns the height below."""
    lines = []
    for time in ticks(page.start, page.end, 10):
        x = page.x(time)
        lines.append(Line(x, top, x, bottom + 4, "grid"))
        page.drawing.add(Text(x, bottom + 18, clock(time, page.end), SMALL, "muted", "middle"))
    page.drawing.shapes[0:0] = lines
    page.drawing.add(Line(LABELS, bottom + 4, WIDTH - RIGHT, bottom + 4, "muted"))
    return bottom + 22


def _description(found: Localization, end: float) -> str:
    reason = f" {found.reason}." if found.reason else ""
    return _listed(found.events, end) + reason


def _listed(events: Sequence[Event], end: float) -> str:
    if not events:
        return "No event."
    told = [f"{e.category}, {clock(e.start, end)} to {clock(e.end, end)}" for e in events[:TOLD]]
    rest = f"; and {len(events) - TOLD} more" if len(events) > TOLD else ""
    return f"{len(events)} event{'' if len(events) == 1 else 's'}: " + "; ".join(told) + rest + "."
