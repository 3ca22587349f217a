"""A reliability diagram: how often a score is right, by its size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from avelzoo.charts.drawing import Curve, Line, Rectangle, Text
from avelzoo.charts.frame import EDGE, SIZE, finished, legend, mark, started, x_axis, y_axis
from avelzoo.charts.scale import Axis, finite, number
from avelzoo.charts.svg import svg


@dataclass(frozen=True)
class ReliabilityBin:
    """Predictions of similar confidence.

    Attributes:
        confidence: their mean confidence in [0, 1].
        accuracy: the share of them that is right.
        count: how many there are; bins of 0 are not drawn.
        low: lower end of the accuracy's interval.
        high: upper end of the accuracy's interval.
    """

    confidence: float
    accuracy: float | None
    count: int
    low: float | None = None
    high: float | None = None


def reliability_chart(
    bins: Sequence[ReliabilityBin],
    *,
    title: str,
    description: str,
    x_label: str = "confidence",
    y_label: str = "share that is right",
    width: float = 420.0,
) -> str:
    """Accuracy against confidence with the diagonal of perfect calibration, and counts below, as an SVG document.

    >>> reliability_chart([ReliabilityBin(0.8, 0.7, 120)], title="T", description="D").startswith("<svg")
    True

    Args:
        bins: in the order of confidence.
        title: what is shown.
        description: the finding in words.
        x_label: name of the horizontal axis.
        y_label: name of the vertical axis.
        width: in pixels.
    """
    drawing, y = started(title, description, width)
    y = legend(drawing, y, ["measured", "perfect calibration"], marks=[("dot", "series0"), ("dashes", "muted")])
    drawing.add(Text(EDGE, y + 8, y_label, SIZE, "muted"))
    left, right, top = EDGE + 34, drawing.width - EDGE - 6, y + 22
    size = min(right - left, 340.0)
    right = left + size
    across, up = Axis(0, 1, left, right), Axis(0, 1, top + size, top)
    y_axis(drawing, up, left, right)
    counts_top, counts = top + size + 8, 44.0
    shown = [b for b in bins if b.count > 0 and finite(b.confidence) is not None and finite(b.accuracy) is not None]
    most = max((b.count for b in shown), default=1)
    below = x_axis(drawing, across, (top, counts_top + counts), f"{x_label}; bars: count, at most {most}")
    drawing.add(Line(left, top + size, right, top + size, "muted"))
    drawing.add(Curve([(left, top + size), (right, top)], stroke="muted", dash=(6, 4)))
    for b in shown:
        x, accuracy = across(b.confidence), b.accuracy or 0.0
        low, high = finite(b.low), finite(b.high)
        if low is not None and high is not None:
            drawing.add(Line(x, up(low), x, up(high), "series0", width=2))
        told = f"confidence {number(round(b.confidence, 3))}: {number(round(accuracy, 3))} right of {b.count}"
        tall = max(counts * b.count / most, 1)
        wide = min(size / max(len(bins), 1) * 0.7, 24)
        drawing.add(
            Rectangle(
                min(max(x - wide / 2, left), right - wide), counts_top + counts - tall, wide, tall, "wave", title=told
            )
        )
    if len(shown) > 1:
        drawing.add(Curve([(across(b.confidence), up(b.accuracy or 0.0)) for b in shown], stroke="series0", width=2))
    for b in shown:
        told = f"confidence {number(round(b.confidence, 3))}: {number(round(b.accuracy or 0.0, 3))} right of {b.count}"
        drawing.add(*mark("dot", across(b.confidence), up(b.accuracy or 0.0), "series0", title=told))
    return svg(finished(drawing, below))
