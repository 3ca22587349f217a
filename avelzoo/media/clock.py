"""From time stamps to seconds on the timeline that both streams share."""

from __future__ import annotations

from dataclasses import dataclass, field

_BACK = 1.0
_FORWARD = 60.0
SHOWN = 6
"""Gaps that are listed one by one."""


@dataclass(kw_only=True)
class Clock:
    """Seconds since the shared origin.

    Frames without a time stamp follow the frame before. A time stamp that cannot be right starts a new count: more
    than a second back, or more than a minute ahead of the frame before and after the announced end.

    Attributes:
        origin: time stamp of second 0.
        limit: announced end in seconds; 0 if it is unknown or unbelievable.
        resets: number of new counts.
    """

    origin: float
    limit: float = 0.0
    resets: int = 0
    _next: float = 0.0
    _shift: float = 0.0
    _started: bool = False

    def at(self, stamp: float | None, length: float) -> float:
        """Start of a frame of ``length`` seconds with this time stamp."""
        time = self._next if stamp is None else stamp - self.origin + self._shift
        early = time < (self._next - _BACK if self._started else -_FORWARD)
        if early or (time > self._next + _FORWARD and time > self.limit + _FORWARD):
            self.resets += 1
            self._shift += self._next - time
            time = self._next
        self._started = True
        self._next = time + length
        return time

    def begin_at(self, seconds: float) -> None:
        """Expect the first frame up to here, after a search for this time."""
        self._next = seconds


@dataclass(kw_only=True)
class Gaps:
    """Intervals without data: the first ones, and how many there are."""

    first: list[tuple[float, float]] = field(default_factory=list)
    count: int = 0
    seconds: float = 0.0

    def add(self, start: float, end: float) -> None:
        """Note the gap [start, end)."""
        self.count += 1
        self.seconds += end - start
        if len(self.first) < SHOWN:
            self.first.append((start, end))

    def __str__(self) -> str:
        text = ", ".join(f"{start:.1f}-{end:.1f} s" for start, end in self.first)
        more = self.count - len(self.first)
        return text + (f" and {more:,} more ({self.seconds:.1f} s in all)" if more else "")
