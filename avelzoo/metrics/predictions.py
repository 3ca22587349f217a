"""Predictions of a split and its truth, as NumPy arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from avelzoo.errors import DataError
from avelzoo.metrics.arrays import BoolArray, FloatArray, IntArray, ids, scores, unit_scores

if TYPE_CHECKING:
    from avelzoo.records import Predictions

_HEAD = "check what the head's decode() returns, and that the model's outputs are finite"
_DATA = "check what the data set's labels(), events() and spec return for this split"


@dataclass(frozen=True, kw_only=True, eq=False)
class PredictionArrays:
    """Final predictions for v videos: `avelzoo.Predictions` of a whole split, as NumPy arrays.

    Integer arrays of any width become int64, float arrays float32.

    Attributes:
        segments: (v t) int64 ids in 0..n, n = background.
        category: (v) int64 in 0..n-1.
        category_scores: (v n) float32, larger is more likely.
        relevance: (v t) float32 in [0, 1], score of event against background.
        audio_scores: (v t n) float32 in [0, 1], scores of the categories from sound alone; None if there are none.
        visual_scores: (v t n) float32 in [0, 1], scores of the categories from the picture alone; None if there are
            none.
        lengths: (v) int64 segments of each video, in 1..t; later segments are padding. Empty if all videos have t
            segments; it is then filled in.

    Raises:
        DataError: an array has the wrong type, shape or range.
    """

    segments: IntArray
    category: IntArray
    category_scores: FloatArray
    relevance: FloatArray
    audio_scores: FloatArray | None = None
    visual_scores: FloatArray | None = None
    lengths: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def __post_init__(self) -> None:
        ranked = scores(self.category_scores, where="predictions.category_scores", shape=(None, None), fix=_HEAD)
        videos, n = ranked.shape
        segments = ids(self.segments, where="predictions.segments", shape=(videos, None), below=n + 1, fix=_HEAD)
        category = ids(self.category, where="predictions.category", shape=(videos,), below=n, fix=_HEAD)
        relevance = unit_scores(self.relevance, where="predictions.relevance", shape=segments.shape, fix=_HEAD)
        for name, array in (
            ("segments", segments),
            ("category", category),
            ("category_scores", ranked),
            ("relevance", relevance),
            ("lengths", _lengths(self.lengths, segments.shape, where="predictions.lengths", fix=_HEAD)),
        ):
            object.__setattr__(self, name, array)
        for name in ("audio_scores", "visual_scores"):
            if (value := getattr(self, name)) is not None:
                found = unit_scores(value, where=f"predictions.{name}", shape=(*segments.shape, n), fix=_HEAD)
                object.__setattr__(self, name, found)

    @classmethod
    def from_predictions(cls, parts: Sequence[Predictions], lengths: IntArray | None = None) -> PredictionArrays:
        """Join the predictions of several batches, in order, on the CPU; ``lengths`` (v) if videos are padded.

        Raises:
            DataError: no batches, or batches that differ in t or n.
        """
        shapes = {(part.segments.shape[1], part.category_scores.shape[1]) for part in parts}
        if len(shapes) != 1:
            raise DataError(
                "predictions of several batches differ in shape",
                where="predictions",
                found=", ".join(f"t={t} n={n}" for t, n in sorted(shapes)) or "no batches",
                expected="one or more batches of the same t and n",
                fix=_HEAD,
            )

        def joined(name: str) -> NDArray[Any]:
            found = [getattr(part, name).detach().cpu() for part in parts]
            return np.concatenate([(v.float() if v.is_floating_point() else v).numpy() for v in found])

        names = [f.name for f in fields(cls) if f.name != "lengths" and getattr(parts[0], f.name) is not None]
        arrays = {name: joined(name) for name in names}
        return cls(**arrays if lengths is None else arrays | {"lengths": lengths})

    def video(self, position: int) -> PredictionArrays:
        """The predictions of one video, with v = 1."""
        names = [f.name for f in fields(self) if getattr(self, f.name) is not None]
        return PredictionArrays(**{name: getattr(self, name)[position : position + 1] for name in names})

    @property
    def n(self) -> int:
        """Number of event categories."""
        return int(self.category_scores.shape[1])

    @property
    def real(self) -> BoolArray:
        """(v t) bool, false in padding."""
        real: BoolArray = np.arange(self.segments.shape[1]) < self.lengths[:, None]
        return real


@dataclass(frozen=True, kw_only=True, eq=False)
class Truth:
    """Ground truth of v videos.

    A video may have a category but no event segment: one row of the AVE annotations has an event of length 0.

    Attributes:
        segments: (v t) int64 ids in 0..n, n = background.
        events: (v) int64 category of each video in 0..n-1, or n for a video without a category.
        categories: the n names, by id.
        seconds_per_segment: length of a segment in seconds.
        lengths: (v) int64 segments of each video, in 1..t; later segments are padding, labelled background and ignored
            by all scores. Empty if all videos have t segments; it is then filled in.

    Raises:
        DataError: an array has the wrong type, shape or range; no categories; a non-positive length; an event in the
            padding.
    """

    segments: IntArray
    events: IntArray
    categories: tuple[str, ...]
    seconds_per_segment: float = 1.0
    lengths: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def __post_init__(self) -> None:
        if not self.categories:
            raise DataError(
                "The ground truth has no category.", where="truth.categories", expected="one or more", fix=_DATA
            )
        if not 0 < self.seconds_per_segment < float("inf"):
            raise DataError(
                "The length of a segment is not positive.",
                where="truth.seconds_per_segment",
                found=str(self.seconds_per_segment),
                expected="seconds > 0",
                fix=_DATA,
            )
        segments = ids(self.segments, where="truth.segments", shape=(None, None), below=self.n + 1, fix=_DATA)
        events = ids(self.events, where="truth.events", shape=(len(segments),), below=self.n + 1, fix=_DATA)
        lengths = _lengths(self.lengths, segments.shape, where="truth.lengths", fix=_DATA)
        object.__setattr__(self, "segments", segments)
        object.__setattr__(self, "events", events)
        object.__setattr__(self, "lengths", lengths)
        beyond = int((self.relevance & ~self.real).any(axis=1).sum())
        if beyond:
            raise DataError(
                "Padding is labelled as an event.",
                where="truth.segments",
                found=f"an event after the last segment of {beyond} videos",
                expected=f"background, {self.background}",
                fix=_DATA,
            )

    def video(self, position: int) -> PredictionArrays:
        """The predictions of one video, with v = 1."""
        names = [f.name for f in fields(self) if getattr(self, f.name) is not None]
        return PredictionArrays(**{name: getattr(self, name)[position : position + 1] for name in names})

    @property
    def n(self) -> int:
        """Number of event categories."""
        return len(self.categories)

    @property
    def background(self) -> int:
        """Id of a segment without an event: n."""
        return len(self.categories)

    @property
    def real(self) -> BoolArray:
        """(v t) bool, false in padding."""
        real: BoolArray = np.arange(self.segments.shape[1]) < self.lengths[:, None]
        return real

    @property
    def relevance(self) -> BoolArray:
        """(v t) bool, y^r: true in event segments, false in background."""
        event: BoolArray = self.segments != self.background
        return event

    @property
    def has_event(self) -> BoolArray:
        """(v) bool, whether the video has an event category."""
        has: BoolArray = self.events != self.background
        return has


def _lengths(given: IntArray, shape: tuple[int, ...], *, where: str, fix: str) -> IntArray:
    """Numbers of segments (v) for ids of this shape (v t); t everywhere if none are given."""
    videos, t = shape
    lengths = ids(given if len(given) else np.full(videos, t), where=where, shape=(videos,), below=t + 1, fix=fix)
    if not lengths.all():
        raise DataError("A video has no segments.", where=where, expected="1 or more", fix=fix)
    return lengths
