"""The result of an extraction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from avelzoo.extraction.throughput import Throughput


@dataclass(frozen=True, kw_only=True)
class ExtractionResult:
    """Result of an extraction.

    Attributes:
        out: output folder.
        videos: number of videos of this process's share.
        extracted: number of those that have features.
        failed: name and reason of those that failed.
        statuses: number of extracted videos by `Status`.
        resumed: number of videos that an earlier call had finished.
        waiting: number of videos of other shards that are not finished; the final files are not written yet.
        rows: number of rows of the data folder; 0 before the final files are written.
        segments: number of segments t of the feature files.
        categories: number of event categories.
        splits: number of videos in each split.
        left_out: rows of the table that are not in the data set, with the reason.
        recipes: recipe ids of the visual and the audio features.
        seconds: time.
        throughput: speed of the extraction without assembling of the data folder; None if nothing was extracted.
    """

    out: str
    videos: int
    extracted: int
    failed: Mapping[str, str]
    statuses: Mapping[str, int]
    resumed: int
    waiting: int
    recipes: tuple[str, str]
    seconds: float
    rows: int = 0
    segments: int = 0
    categories: int = 0
    splits: Mapping[str, int] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    throughput: Throughput | None = None

    @property
    def exit_code(self) -> int:
        """0 if all videos were extracted, 1 if some were or rows were left out, 2 if none was."""
        if not self.extracted:
            return 2
        return 1 if self.failed or self.left_out else 0

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        speed = None if self.throughput is None else self.throughput.to_dict()
        return asdict(self) | {"recipes": list(self.recipes), "left_out": list(self.left_out), "throughput": speed}
