"""An event: an interval of time with a category."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, order=True)
class Event:
    """An event in [start, end) seconds.

    Attributes:
        start: first second of the event.
        end: end of the event.
        category: name of the event category.
        score: mean relevance of its segments, in [0, 1].

    >>> Event(start=2.0, end=5.0, category="bark").duration
    3.0
    """

    start: float
    end: float
    category: str
    score: float = 1.0

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.end - self.start
