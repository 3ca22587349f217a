"""From time stamps to seconds on the timeline that both streams share."""

from __future__ import annotations

from dataclasses import dataclass, field

_BACK = 1.0
_FORWARD = 60.0
_LISTED = 6
"""Gaps that are listed one by one."""
_LONG = 0.1
"""Seconds of the shortest gap that is listed."""


@dataclass(kw_only=True)
class Clock:
    """Seconds since the shared origin.

    Frames without a time stamp follow the frame before. A time stamp that cannot be right starts a new count: more
    than a second back; more than a second after both the frame before and the announced end; more than a minute
    ahead, where no end is announced. The second stream that starts a new count takes that of the first one, so that
    they stay together.

    Attributes:
        origin: time stamp of second 0.
        beside: the other stream's clock.
        limit: announced end in seconds; 0 if it is unknown or unbelievable.
        resets: number of new counts.
        shift: seconds added in the present count.
    """

    origin: float
    limit: float = 0.0
    beside: Clock | None = field(default=None, repr=False)
    resets: int = 0
    shift: float = 0.0
    _next: float = 0.0
    _started: bool = False

    def at(self, stamp: float | None, length: float) -> float:
        """Start of a frame of ``length`` seconds with this time stamp."""
        time = self._next if stamp is None else stamp - self.origin + self.shift
        early = time < (self._next - _BACK if self._started else -_FORWARD)
        late = time > self._next + _FORWARD if not self.limit else time > max(self.limit, self._next) + _BACK
        if early or late:
            self.resets += 1
            shift = self.shift + self._next - time
            if self.beside is not None and abs(self.beside.shift - shift) < _BACK:
                shift = self.beside.shift
            time += shift - self.shift
            self.shift = shift
        self._started = True
        self._next = time + length
        return time

    def begin_at(self, seconds: float) -> None:
        """Expect the first frame up to here, after a search for this time."""
        self._next = seconds


@dataclass(kw_only=True)
class Gaps:
    """Intervals without data: the first ones that are long enough to hear or see, and the number of all."""

    listed: list[tuple[float, float]] = field(default_factory=list)
    count: int = 0
    seconds: float = 0.0

    def add(self, start: float, end: float) -> None:
        """Note the gap [start, end)."""
        self.count += 1
        self.seconds += end - start
        if end - start >= _LONG and len(self.listed) < _LISTED:
            self.listed.append((start, end))

    def describe(self, kind: str) -> str:
        """All gaps in a line, such as ``audio gap 3.2-4.1 s``; empty for none."""
        more = self.count - len(self.listed)
        if not self.listed:
            return f"short {kind} gaps: {more:,}, {self.seconds:.2f} s in all" if more else ""
        text = f"{kind} gap " + ", ".join(f"{start:.1f}-{end:.1f} s" for start, end in self.listed)
        return text + (f" and {more:,} more ({self.seconds:.1f} s in all)" if more else "")
