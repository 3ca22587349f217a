"""Overlapping windows over the segments of a long video, and what they say together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from avelzoo.errors import OptionError
from avelzoo.metrics import PredictionArrays
from avelzoo.timeline.records import SegmentScores

OVERLAP = 0.5
"""Share of a window that the next one covers again, unless asked otherwise."""

Features = tuple[np.ndarray, np.ndarray]
"""Audio (t a) and visual features (t h w v) of successive segments."""


@dataclass(frozen=True)
class Layout:
    """Windows of a fixed number of segments. The last one ends with the video; a shorter video is one window.

    Attributes:
        window: segments per window.
        hop: segments from one window to the next.

    >>> Layout(window=10, hop=5).starts(23)
    [0, 5, 10, 13]
    """

    window: int
    hop: int

    @classmethod
    def of(cls, window: int, overlap: float) -> Layout:
        """Windows that overlap by a share of their length.

        Raises:
            OptionError: an empty window, or a share outside [0, 1).
        """
        if window < 1:
            raise OptionError("a window has no segments", where="window", found=str(window), expected=">= 1")
        if not 0 <= overlap < 1:
            raise OptionError(
                "the overlap of windows is out of range", where="overlap", found=f"{overlap:g}", expected="in [0, 1)"
            )
        return cls(window, max(1, round(window * (1 - overlap))))

    def starts(self, t: int) -> list[int]:
        """First segments of the windows of a video of t segments."""
        last = max(t - self.window, 0)
        return [*range(0, last, self.hop), last]

    def owners(self, t: int) -> np.ndarray:
        """(t) window that decides each segment: the one whose centre is nearest; of two, the earlier."""
        centres = np.array(self.starts(t)) + (min(self.window, t) - 1) / 2
        borders = (centres[1:] + centres[:-1]) / 2  # a segment on a border belongs to the earlier window
        return np.searchsorted(borders, np.arange(t))

    def walk(self, blocks: Iterable[Features]) -> Iterator[tuple[int, Features]]:
        """Each window's first segment and features, from features in order; holds one window and one block."""
        audio, visual, first = None, None, 0
        yielded = -1
        for sound, sight in blocks:
            audio = sound if audio is None else np.concatenate([audio, sound])
            visual = sight if visual is None else np.concatenate([visual, sight])
            while len(audio) >= self.window:
                if first > yielded:
                    yield first, (audio[: self.window], visual[: self.window])
                    yielded = first
                if len(audio) < self.window + self.hop:
                    break
                audio, visual, first = audio[self.hop :], visual[self.hop :], first + self.hop
        if audio is None or visual is None:
            return
        last = max(first + len(audio) - self.window, 0)
        if last > yielded:
            yield last, (audio[last - first :], visual[last - first :])


@dataclass
class Merger:
    """Collects the predictions of windows, in order; `scores` has their mean in every segment.

    Args:
        layout: the windows.
        categories: the n event names, by id.
        seconds: length of a segment.
        start: start of the first segment in seconds.
    """

    layout: Layout
    categories: tuple[str, ...]
    seconds: float
    start: float = 0.0
    _found: list[tuple[int, PredictionArrays, Sequence[np.ndarray]]] = field(default_factory=list)

    def add(self, first: int, found: PredictionArrays, shares: Sequence[np.ndarray] = ()) -> None:
        """Add a window's predictions, with v = 1.

        Args:
            first: its first segment.
            found: predictions by the head.
            shares: audio and visual share of the decision, (w) each; empty if not computed.
        """
        self._found.append((first, found, shares))

    def scores(self) -> SegmentScores:
        """Scores per segment; the head's own ids are those of the window that decides the segment."""
        first, last, _ = self._found[-1]
        t = first + last.segments.shape[1]
        segments = np.empty(t, dtype=np.int64)
        owners = self.layout.owners(t)
        bounds = np.searchsorted(owners, np.arange(len(self._found) + 1))
        for (begin, found, _), low, high in zip(self._found, bounds[:-1], bounds[1:], strict=True):
            segments[low:high] = found.segments[0, low - begin : high - begin]
        shares = [self._mean(t, [pair[k] for _, _, pair in self._found]) if self._found[0][2] else None for k in (0, 1)]
        return SegmentScores(
            categories=self.categories,
            seconds_per_segment=self.seconds,
            start=self.start,
            relevance=self._mean(t, [found.relevance[0] for _, found, _ in self._found]),
            category_scores=self._mean(t, [self._everywhere(found) for _, found, _ in self._found]),
            audio_scores=self._optional(t, [found.audio_scores for _, found, _ in self._found]),
            visual_scores=self._optional(t, [found.visual_scores for _, found, _ in self._found]),
            audio_share=shares[0],
            visual_share=shares[1],
            segments=segments,
            window=self.layout.window if len(self._found) > 1 else 0,
            hop=self.layout.hop if len(self._found) > 1 else 0,
        )

    def _everywhere(self, found: PredictionArrays) -> np.ndarray:
        return np.broadcast_to(found.category_scores, (found.segments.shape[1], found.n))

    def _optional(self, t: int, parts: Sequence[np.ndarray | None]) -> np.ndarray | None:
        there = [part[0] for part in parts if part is not None]
        return self._mean(t, there) if len(there) == len(parts) else None

    def _mean(self, t: int, parts: Sequence[np.ndarray]) -> np.ndarray:
        """(t ...) float32, the mean over the windows that contain a segment."""
        total = np.zeros((t, *parts[0].shape[1:]))
        count = np.zeros((t, *(1 for _ in parts[0].shape[1:])))
        for (first, _, _), part in zip(self._found, parts, strict=True):
            total[first : first + len(part)] += part
            count[first : first + len(part)] += 1
        mean: np.ndarray = (total / count).astype(np.float32)
        return mean
