"""Overlapping windows over the segments of a long video, and what they say together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from avelzoo.errors import OptionError
from avelzoo.metrics import PredictionArrays
from avelzoo.timeline.records import SegmentScores

BATCH = 16
"""Largest number of windows that a system scores at a time."""
BATCH_BYTES = 64 << 20
"""Size of the features of these windows in memory; a batch has at least one window."""
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


def batches(windows: Iterable[tuple[int, Features]]) -> Iterator[tuple[list[int], Features]]:
    """Windows of one length in batches: their first segments, and features (b w a) and (b w h w v).

    >>> video = np.zeros((7, 2)), np.zeros((7, 1, 1, 3))
    >>> [(firsts, audio.shape) for firsts, (audio, _) in batches(Layout(4, 2).walk([video]))]
    [([0, 2, 3], (3, 4, 2))]
    """
    firsts: list[int] = []
    held: list[Features] = []
    for first, window in windows:  # all of a video have one length
        firsts.append(first)
        held.append(window)
        if len(held) >= BATCH or len(held) * (window[0].nbytes + window[1].nbytes) >= BATCH_BYTES:
            yield firsts, _stacked(held)
            firsts, held = [], []
    if held:
        yield firsts, _stacked(held)


def _stacked(windows: Sequence[Features]) -> Features:
    if len(windows) == 1:
        return windows[0][0][None], windows[0][1][None]
    return np.stack([audio for audio, _ in windows]), np.stack([visual for _, visual in windows])


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

    def add(self, firsts: Sequence[int], found: PredictionArrays, shares: Sequence[np.ndarray] = ()) -> None:
        """Add the predictions of v successive windows.

        Args:
            firsts: their first segments.
            found: predictions by the head.
            shares: audio and visual share of the decision, (v w) each; empty if not computed.
        """
        for i, first in enumerate(firsts):
            self._found.append((first, found.video(i), [part[i] for part in shares]))

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
