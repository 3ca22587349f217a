"""Events on a time axis, as a value with algebra."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, NamedTuple, overload

from avelzoo.errors import UsageError
from avelzoo.timeline.event import Event

TOLERANCE = 1e-6
"""Seconds by which two times may differ and still count as the same; far below a sample of sound."""

CropMode = Literal["intersection", "strict", "loose"]


class Interval(NamedTuple):
    """A part [start, end) of the time axis, in seconds."""

    start: float
    end: float

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.end - self.start


class Timeline(Sequence[Event]):
    """Events in the order of their start, on the time axis [0, duration). Events may overlap.

    A timeline does not change; every operation returns a new one. Names follow pyannote.core.

    Args:
        events: the events, in any order.
        duration: length of the time axis in seconds; None for the end of the last event.

    Raises:
        UsageError: an event has no length, or lies outside the time axis.

    >>> line = Timeline([Event(start=1, end=3, category="bark"), Event(start=4, end=5, category="bark")], duration=8)
    >>> line.support(collar=1)["bark"][0].end, line.gaps()[-1].start
    (5, 5)
    """

    def __init__(self, events: Iterable[Event] = (), *, duration: float | None = None) -> None:
        self._events = tuple(sorted(events))
        last = max((event.end for event in self._events), default=0.0)
        self.duration = float(last if duration is None else duration)
        for event in self._events:
            if not (0 <= event.start < event.end <= self.duration + TOLERANCE):
                raise UsageError(
                    "an event is empty or outside the time axis",
                    where="Timeline",
                    found=f"'{event.category}' in [{event.start:g}, {event.end:g})",
                    expected=f"0 <= start < end <= {self.duration:g}",
                )

    @classmethod
    def from_records(cls, records: Iterable[Mapping[str, Any]], *, duration: float | None = None) -> Timeline:
        """Inverse of `to_records`.

        Raises:
            UsageError: an event has no length, or lies outside the time axis.
        """
        return cls((Event(**record) for record in records), duration=duration)

    def to_records(self) -> list[dict[str, Any]]:
        """The events as plain data, with the keys start, end, category, score."""
        return [
            {"start": event.start, "end": event.end, "category": event.category, "score": event.score}
            for event in self._events
        ]

    def _repr_svg_(self) -> str:
        """A picture in notebooks."""
        from avelzoo.timeline.picture import events_svg

        return events_svg(self._events, self.duration)

    @property
    def categories(self) -> tuple[str, ...]:
        """Names of the categories that occur, in alphabetical order."""
        return tuple(sorted({event.category for event in self._events}))

    @property
    def extent(self) -> Interval | None:
        """From the start of the first event to the end of the last; None without events."""
        if not self._events:
            return None
        return Interval(self._events[0].start, max(event.end for event in self._events))

    @property
    def total(self) -> float:
        """Seconds that at least one event covers."""
        return sum((part.duration for part in self.covered()), 0.0)

    def covered(self) -> tuple[Interval, ...]:
        """Maximal intervals that events of any category cover without a break."""
        merged: list[Interval] = []
        for event in self._events:
            if merged and event.start <= merged[-1].end + TOLERANCE:
                merged[-1] = Interval(merged[-1].start, max(merged[-1].end, event.end))
            else:
                merged.append(Interval(event.start, event.end))
        return tuple(merged)

    def gaps(self) -> tuple[Interval, ...]:
        """Maximal intervals of the time axis without an event."""
        covered = self.covered()
        starts = (0.0, *(part.end for part in covered))
        ends = (*(part.start for part in covered), self.duration)
        pairs = (Interval(start, end) for start, end in zip(starts, ends, strict=True))
        return tuple(pair for pair in pairs if pair.duration > TOLERANCE)

    def support(self, collar: float = 0.0) -> Timeline:
        """Join events of one category that overlap, touch, or are at most ``collar`` seconds apart.

        The score of a joined event is the mean of its parts' scores, weighted by their lengths.

        Raises:
            UsageError: the collar is negative.
        """
        if not collar >= 0:
            raise UsageError("the collar is negative", found=f"{collar:g} s", expected="seconds >= 0")
        joined: list[Event] = []
        for category in self.categories:
            parts: list[Event] = []
            end = 0.0
            for event in self[category]:
                if parts and event.start > end + collar + TOLERANCE:
                    joined.append(_joined(parts))
                    parts = []
                end = max(event.end, end) if parts else event.end
                parts.append(event)
            joined.append(_joined(parts))
        return Timeline(joined, duration=self.duration)

    def crop(self, start: float, end: float, *, mode: CropMode = "intersection") -> Timeline:
        """The events within [start, end), on the same time axis.

        Args:
            start: in seconds.
            end: in seconds.
            mode: ``intersection`` cuts events at the bounds, ``strict`` keeps events that lie within them, ``loose``
                keeps whole events that overlap them.

        Raises:
            UsageError: the end is not after the start, or the mode is unknown.
        """
        if not end > start:
            raise UsageError("the end is not after the start", found=f"[{start:g}, {end:g})", expected="start < end")
        if mode not in ("intersection", "strict", "loose"):
            raise UsageError(f"unknown mode '{mode}'", expected="intersection, strict or loose")
        touching = [e for e in self._events if min(e.end, end) - max(e.start, start) > TOLERANCE]
        if mode == "strict":
            touching = [e for e in touching if start - TOLERANCE <= e.start and e.end <= end + TOLERANCE]
        elif mode == "intersection":
            touching = [replace(e, start=max(e.start, start), end=min(e.end, end)) for e in touching]
        return Timeline(touching, duration=self.duration)

    def at(self, seconds: float) -> tuple[Event, ...]:
        """The events that contain a point in time."""
        return tuple(event for event in self._events if event.start <= seconds < event.end)

    def __or__(self, other: Timeline) -> Timeline:
        """All events of both, on the longer time axis."""
        return Timeline((*self._events, *other._events), duration=max(self.duration, other.duration))

    def __and__(self, other: Timeline) -> Timeline:
        """Where both have an event of the same category; the score is the smaller of the two."""
        mine, theirs = self.support(), other.support()
        shared = [
            replace(a, start=max(a.start, b.start), end=min(a.end, b.end), score=min(a.score, b.score))
            for a in mine
            for b in theirs
            if a.category == b.category and min(a.end, b.end) - max(a.start, b.start) > TOLERANCE
        ]
        return Timeline(shared, duration=min(self.duration, other.duration))

    @overload
    def __getitem__(self, key: int) -> Event: ...
    @overload
    def __getitem__(self, key: slice | str) -> Timeline: ...
    def __getitem__(self, key: int | slice | str) -> Event | Timeline:
        """An event by position; or the timeline of a slice, or of one category's events."""
        if isinstance(key, str):
            return Timeline((e for e in self._events if e.category == key), duration=self.duration)
        if isinstance(key, slice):
            return Timeline(self._events[key], duration=self.duration)
        return self._events[key]

    def __len__(self) -> int:
        return len(self._events)

    def __iter__(self) -> Iterator[Event]:
        return iter(self._events)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Timeline):
            return NotImplemented
        return self._events == other._events and self.duration == other.duration

    def __hash__(self) -> int:
        return hash((self._events, self.duration))

    def __repr__(self) -> str:
        return f"Timeline({list(self._events)!r}, duration={self.duration!r})"

    def __str__(self) -> str:
        lines = [f"{e.start:8.2f} - {e.end:.2f} s  {e.category}  {e.score:.2f}" for e in self._events]
        return "\n".join(lines or [f"no event in {self.duration:g} s"])


def _joined(parts: Sequence[Event]) -> Event:
    length = sum(part.duration for part in parts)
    score = parts[0].score if len(parts) == 1 else sum(part.score * part.duration for part in parts) / length
    return replace(parts[0], end=max(part.end for part in parts), score=score)
