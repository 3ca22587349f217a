"""Time axes: ticks at round times, and how times are written."""

from __future__ import annotations

import math
from collections.abc import Sequence

STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)


def ticks(start: float, end: float, most: int) -> list[float]:
    """Round times in [start, end], at most ``most`` + 1 of them.

    >>> ticks(0, 10, 5)
    [0, 2, 4, 6, 8, 10]
    """
    step = next((step for step in STEPS if (end - start) / step <= most), None)
    if step is None:
        step = STEPS[-1] * math.ceil((end - start) / STEPS[-1] / most)
    first, last = math.ceil(start / step - 1e-9), math.floor(end / step + 1e-9)
    return [round(i * step, 3) for i in range(first, last + 1)]


def clock(seconds: float, longest: float) -> str:
    """A time as on a clock of the length of the video: 7.5 s, 2:05, 1:02:05.

    >>> clock(7.5, 10), clock(125, 600), clock(125, 7200)
    ('7.5 s', '2:05', '0:02:05')
    """
    if longest < 60:
        return f"{seconds:.3g} s"
    whole = round(seconds)
    if longest < 3600:
        return f"{whole // 60}:{whole % 60:02d}"
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def merged(spans: Sequence[tuple[float, float]], gap: float) -> list[tuple[float, float, int]]:
    """Intervals closer than ``gap`` as one, with the number of originals: what a picture can still show apart.

    >>> merged([(0, 1), (1.1, 2), (5, 6)], gap=0.5)
    [(0, 2, 2), (5, 6, 1)]
    """
    found: list[tuple[float, float, int]] = []
    for start, end in sorted(spans):
        if found and start - found[-1][1] < gap:
            first, last, count = found[-1]
            found[-1] = (first, max(last, end), count + 1)
        else:
            found.append((start, end, 1))
    return found
