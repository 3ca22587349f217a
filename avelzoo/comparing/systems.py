"""What is compared: predictions of one or more runs of a system, and checks that they share videos and truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from avelzoo.errors import DataError, UsageError, some
from avelzoo.metrics import Truth
from avelzoo.metrics.arrays import IntArray, ids


@dataclass(frozen=True, kw_only=True, eq=False)
class System:
    """Predictions of s runs (trainings) of one system on the v videos of a split.

    Attributes:
        name: name in tables and sentences.
        segments: (s v t) ids in 0..n, n = background.
        category: (s v) predicted video categories in 0..n-1; None if there are segments only.
        seeds: seed of each run; empty if unknown, as for a file of predictions.
        paths: run folders or files, for the record.
        leaks_duration: trained with weak labels that contain the event's share of the video.

    Raises:
        UsageError: no run, or seeds of another number.
    """

    name: str
    segments: IntArray
    category: IntArray | None = None
    seeds: tuple[int, ...] = ()
    paths: tuple[str, ...] = ()
    leaks_duration: bool = False

    def __post_init__(self) -> None:
        if np.ndim(self.segments) != 3 or not len(self.segments):
            raise UsageError(
                "predictions of a system have the wrong shape",
                where=self.name,
                found=str(np.shape(self.segments)),
                expected="(seeds, videos, segments), at least one seed",
            )
        if self.seeds and len(self.seeds) != len(self.segments):
            raise UsageError(
                "a system needs one seed per run",
                where=self.name,
                found=f"{len(self.seeds)} seeds, {len(self.segments)} runs",
            )

    @property
    def runs(self) -> int:
        """Number s of runs."""
        return len(self.segments)

    def require_fits(self, truth: Truth) -> None:
        """Refuse predictions of other sizes than the truth.

        Raises:
            DataError: other videos, segments or ids.
        """
        fix = "compare predictions for the videos of one split"
        shape = (self.runs, *truth.segments.shape)
        ids(self.segments, where=f"segments of '{self.name}'", shape=shape, below=truth.n + 1, fix=fix)
        if self.category is not None:
            ids(self.category, where=f"categories of '{self.name}'", shape=shape[:2], below=truth.n, fix=fix)


@dataclass(frozen=True, kw_only=True, eq=False)
class Labelled:
    """Videos of a split, in order, and their truth.

    Attributes:
        where: folder or file, for messages.
        video_ids: names of the v videos.
        truth: truth of the videos.
    """

    where: str
    video_ids: Sequence[str]
    truth: Truth

    def require_same(self, other: Labelled) -> None:
        """Refuse another split: only scores on the same videos with the same labels can be compared.

        Raises:
            DataError: videos, their order, categories or labels differ; the error names the first ones.
        """
        both = f"{self.where} and {other.where}"
        fix = "compare runs on the same data, split and labels"
        if list(self.video_ids) != list(other.video_ids):
            ours, theirs = Counter(self.video_ids), Counter(other.video_ids)
            only, lacking = list((ours - theirs).elements()), list((theirs - ours).elements())
            found = [
                *([f"only in the first: {some(only)}"] if only else []),
                *([f"only in the second: {some(lacking)}"] if lacking else []),
            ]
            raise DataError(
                "predictions of different videos cannot be compared",
                where=both,
                found="; ".join(found) or "the same videos in another order",
                expected=f"the same {len(self.video_ids)} videos in the same order",
                fix=fix,
            )
        if self.truth.categories != other.truth.categories:
            pairs = zip(self.truth.categories, other.truth.categories, strict=False)
            first = next((f"'{a}' and '{b}'" for a, b in pairs if a != b), "lists of different length")
            raise DataError(
                "the categories differ", where=both, found=first, expected="the same names and order", fix=fix
            )
        one, two = self.truth, other.truth
        same_shape = one.segments.shape == two.segments.shape
        differ = (
            (one.segments != two.segments).any(axis=1) | (one.events != two.events) | (one.lengths != two.lengths)
            if same_shape
            else np.ones(len(self.video_ids), dtype=bool)
        )
        if differ.any():
            named = [self.video_ids[i] for i in np.flatnonzero(differ).tolist()]
            raise DataError(
                "the labels of some videos differ",
                where=both,
                found=f"{len(named)} videos: {some(named)}",
                expected="the same labels, so the same label variant",
                fix=fix,
            )
