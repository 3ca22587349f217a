"""Records of a localized video: events, scores per segment, and how the file was read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from avelzoo.timeline.event import Event
from avelzoo.timeline.timeline import Timeline

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Event", "Localization", "SegmentScores", "Status"]

Status = Literal["ok", "partly-read", "silent", "no-audio", "no-video", "unreadable"]
"""How a file was read: fully; with gaps or damage; without any sound above digital silence; without an audio stream;
without a video stream; not at all."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SegmentScores:
    """Scores of a video's t segments, from which events are decided again without inference.

    Attributes:
        categories: the n event names, by id.
        seconds_per_segment: length of a segment.
        relevance: (t) float32 in [0, 1], score of event versus background.
        category_scores: (t n) float32, larger is more likely; the mean over the windows that contain the segment.
        audio_scores: (t n) float32, scores of the categories from sound alone; None if the system has none.
        visual_scores: (t n) float32, scores of the categories from the picture alone; None if the system has none.
        audio_share: (t) float32, share of the decision that came from sound (modality X-ray); None if not computed.
        visual_share: (t) float32, share that came from sight; None if not computed.
        start: start of the first segment in seconds.
        segments: (t) int64 ids in 0..n by the system's own rule, n = background; None if unknown.
        window: segments that the system saw at a time; 0 for all.
        hop: segments from one window to the next; 0 for one window.

    >>> flat = np.full(3, 0.5, dtype=np.float32)
    >>> SegmentScores(categories=("bark",), seconds_per_segment=1.0, relevance=flat, category_scores=flat[:, None]).t
    3
    """

    categories: tuple[str, ...]
    seconds_per_segment: float
    relevance: np.ndarray
    category_scores: np.ndarray
    audio_scores: np.ndarray | None = None
    visual_scores: np.ndarray | None = None
    audio_share: np.ndarray | None = None
    visual_share: np.ndarray | None = None
    start: float = 0.0
    segments: np.ndarray | None = None
    window: int = 0
    hop: int = 0

    @property
    def t(self) -> int:
        """Number of segments."""
        return len(self.relevance)


@dataclass(frozen=True, kw_only=True)
class Localization:
    """Result for one file.

    Attributes:
        path: the file, as the user named it.
        status: how the file was read.
        reason: why it was not fully read, or why there is no event, in one sentence; empty otherwise.
        duration: length in seconds; 0 for unreadable files.
        events: events in the order of their start.
        scores: scores per segment; None for unreadable files.
        notices: what was repaired while reading, one sentence each: gaps, damage, padding.
        decision: rule and threshold that decided, in words.
        preference: the predicted category's modality preference as the memory holds it, by category.

    >>> Localization(path="clip.mp4", status="silent", duration=10.0).timeline.gaps()[0].duration
    10.0
    """

    path: str
    status: Status
    reason: str = ""
    duration: float = 0.0
    events: tuple[Event, ...] = ()
    scores: SegmentScores | None = None
    notices: tuple[str, ...] = ()
    decision: str = ""
    preference: Mapping[str, Any] = field(default_factory=dict)

    @property
    def timeline(self) -> Timeline:
        """The events on the time axis of the video."""
        return Timeline(self.events, duration=max([self.duration, *(event.end for event in self.events)]))

    def _repr_svg_(self) -> str:
        """A picture in notebooks."""
        from avelzoo.timeline.picture import timeline_svg

        return timeline_svg(self)
