"""Clips for review: every event of a batch, and random segments, evenly over the relevance."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from avelzoo.errors import AvelzooError, describe
from avelzoo.media.writing import cut_clip
from avelzoo.system.files import make_folder, write_bytes
from avelzoo.timeline.records import Localization

BINS = 5
"""Bins of the relevance in [0, 1] from which random segments are drawn."""
BACKGROUND = "background"
LISTING = "clips.csv"
COLUMNS = ("clip", "file", "start", "end", "category", "score", "bin")


@dataclass(frozen=True, order=True)
class Clip:
    """A part of a video to cut out.

    Attributes:
        path: the video.
        start: in seconds.
        end: in seconds.
        category: category of the event; for random segments, what was decided there.
        score: mean relevance.
        bin: bin of the relevance of a random segment, such as ``0.2-0.4``; empty for events.
    """

    path: str
    start: float
    end: float
    category: str
    score: float
    bin: str = ""

    @property
    def name(self) -> str:
        """File name without its end."""
        parts = (Path(self.path).stem, f"{self.start:.2f}-{self.end:.2f}", self.category, f"{self.score:.2f}")
        return "_".join(re.sub(r"[^\w.-]+", "-", part).strip("-.") for part in parts)


def events_to_cut(results: Iterable[Localization]) -> list[Clip]:
    """A clip per event."""
    return [Clip(r.path, e.start, e.end, e.category, e.score) for r in results for e in r.events]


def random_to_cut(results: Iterable[Localization], count: int, *, seed: int = 0) -> list[Clip]:
    """Up to ``count`` segments of all videos, as many from each bin of the relevance as it has.

    Args:
        results: results with scores.
        count: number of clips.
        seed: seed of the choice.
    """
    rng = np.random.default_rng(seed)
    bins: list[list[Clip]] = [[] for _ in range(BINS)]
    for result in results:
        if (scores := result.scores) is None:
            continue
        line = result.timeline
        for i, relevance in enumerate(scores.relevance.tolist()):
            start = scores.start + i * scores.seconds_per_segment
            end = min(start + scores.seconds_per_segment, result.duration)
            which = min(int(relevance * BINS), BINS - 1)
            if end > start:
                label = f"{which / BINS:g}-{(which + 1) / BINS:g}"
                found = line.at((start + end) / 2)
                category = found[0].category if found else BACKGROUND
                bins[which].append(Clip(result.path, start, end, category, relevance, label))
    for part in bins:
        rng.shuffle(part)
    chosen: list[Clip] = []
    while len(chosen) < count and any(bins):
        chosen += [part.pop() for part in bins if part][: count - len(chosen)]
    return sorted(chosen)


def cut_clips(folder: Path, clips: Sequence[Clip]) -> tuple[list[Path], list[str]]:
    """Cut clips out of their videos; returns the files, and a sentence per clip that could not be cut.

    Events lie in a folder per category, random segments in a folder per bin; `clips.csv` lists all.

    Raises:
        StorageError: the folder cannot be written.
    """
    files: list[Path] = []
    faults, rows = [], []
    for clip in clips:
        group = f"random/{clip.bin}" if clip.bin else re.sub(r"[^\w.-]+", "-", clip.category).strip("-.") or "event"
        make_folder(folder / group)
        path = _free(folder / group, clip.name, taken=set(files))
        try:
            cut_clip(clip.path, clip.start, clip.end, path)
        except (AvelzooError, OSError) as error:
            faults.append(f"{clip.path} at {clip.start:g} s: {describe(error)}")
            continue
        files.append(path)
        rows.append((path.relative_to(folder).as_posix(), *_row(clip)))
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows((COLUMNS, *rows))
    make_folder(folder)
    write_bytes(folder / LISTING, text.getvalue().encode("utf-8", "backslashreplace"))
    return files, faults


def _row(clip: Clip) -> tuple[str, ...]:
    return clip.path, f"{clip.start:.3f}", f"{clip.end:.3f}", clip.category, f"{clip.score:.4f}", clip.bin


def _free(folder: Path, name: str, *, taken: set[Path]) -> Path:
    """A file name that this call has not used: videos of different folders may have one name."""
    path, number = folder / f"{name}.mp4", 1
    while path in taken:
        number += 1
        path = folder / f"{name}-{number}.mp4"
    return path
