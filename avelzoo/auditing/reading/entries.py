"""What a prediction file says, before names and ids are interpreted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avelzoo.errors import DataError, printable, some

Label = str | int
"""A category or background, as a file writes it: a name or an id."""

NAMES: Mapping[str, tuple[str, ...]] = {
    "row": ("row", "index"),
    "video": ("video", "video_id", "vid", "id", "name", "filename"),
    "segments": ("segments", "labels", "predictions", "pred", "preds"),
    "scores": ("scores", "logits", "probs", "probabilities"),
    "category": ("category", "event"),
    "relevance": ("relevance",),
}
"""Part of an entry -> accepted names of its key, column or array."""

FORMS = (
    'JSON lines such as {"row": 17, "video": "abc", "segments": ["Church bell", ...]}; a CSV file with the columns'
    " video,s0,s1,... or video,segment,label; an npz file with the array segments or scores; or score tables (TSV)"
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Entry:
    """Predictions for one video.

    Attributes:
        where: place in the file, such as ``line 3``.
        row: row number; None if the file has none.
        video: name; None if the file has none.
        segments: name or id of each segment; None if the file has scores.
        scores: (t c) scores of each segment; None if the file has names or ids.
        category: name or id of the video's category; None if the file has none.
        relevance: (t) scores of event against background; None if the file has none.
    """

    where: str
    row: int | None = None
    video: str | None = None
    segments: tuple[Label, ...] | None = None
    scores: NDArray[np.float64] | None = None
    category: Label | None = None
    relevance: NDArray[np.float64] | None = None

    @property
    def length(self) -> int:
        """Number of segments."""
        return len(self.segments) if self.segments is not None else len(self.scores)  # type: ignore[arg-type]

    @property
    def who(self) -> str:
        """The video in words, for messages."""
        name = printable(self.video) if self.video is not None else ""
        return " ".join(filter(None, (f"row {self.row}" if self.row is not None else "", name))) or self.where


@dataclass(frozen=True, kw_only=True, eq=False)
class PredictionFile:
    """All entries of a file, in its order.

    Attributes:
        path: the file or folder.
        format: jsonl, json, csv, npz, npy, tsv or run.
        entries: one per video.
        columns: names of the columns of all scores; None if they are not named.
        seconds: (onset, offset) of each frame of score tables; None elsewhere, where a frame is a segment.
        notes: what was assumed, in sentences.
        composition: content of the composition.json of a run folder; empty elsewhere.
    """

    path: Path
    format: str
    entries: tuple[Entry, ...]
    columns: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()
    composition: Mapping[str, Any] = field(default_factory=dict)


def fault(path: Path, where: str, problem: str, *, found: str = "", expected: str = "", fix: str = "") -> DataError:
    """Error of a prediction file at a place in it."""
    return DataError(
        problem,
        where=f"{path}, {where}" if where else str(path),
        found=printable(found)[:160],
        expected=expected,
        fix=fix,
    )


def occur(what: str, count: int) -> str:
    """Problem of things that occur more than once.

    >>> occur("row", 1), occur("row", 3)
    ('a row occurs twice', '3 rows occur more than once')
    """
    return f"a {what} occurs twice" if count == 1 else f"{count:,} {what}s occur more than once"


def others(names: Sequence[str]) -> str:
    """All but the first of the names, as an addition to a message about the first; empty for one name."""
    return f"; as well {some(list(map(printable, names[1:])), 3)}" if names[1:] else ""


def part_of(keys: Sequence[str], part: str, stop: Callable[[str, str], DataError]) -> str | None:
    """The key of a part among ``keys``; None if there is none.

    Raises:
        DataError: two keys name the same part; ``stop(problem, found)`` makes the error.
    """
    found = [key for key in keys if key.strip().lower() in NAMES[part]]
    if len(found) > 1:
        raise stop(f"two keys may hold the {part}", " and ".join(map(repr, found)))
    return found[0] if found else None


def shown_keys(keys: Sequence[str]) -> str:
    """Keys of a file for a message."""
    return some([printable(str(key)) for key in keys], 6) or "no key"
