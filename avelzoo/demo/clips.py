"""The folder of the demonstration: clips with labels, and new clips to predict."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from avelzoo.demo.frames import FPS, frames
from avelzoo.demo.scenes import Scene, draw_scenes
from avelzoo.demo.sounds import RATE, sound
from avelzoo.media.writing import write_clip
from avelzoo.system.files import write_bytes

TABLE, VIDEOS, NEW = "events.csv", "videos", "new"
SPLITS = (("train", 0.7), ("val", 0.15), ("test", 0.15))


@dataclass(frozen=True)
class DemoClips:
    """What was written.

    Attributes:
        videos: folder of the labelled clips.
        table: their labels: video, category, start, end, split.
        new: clips that are in no split, with their scenes.
    """

    videos: Path
    table: Path
    new: tuple[tuple[Path, Scene], ...]


def write_clips(
    out: Path, count: int, seed: int = 0, *, new: int = 6, progress: Callable[[int, int], None] | None = None
) -> DemoClips:
    """Write ``count`` labelled clips and ``new`` others.

    Args:
        out: folder, made if it is missing.
        count: labelled clips.
        seed: seed of all scenes.
        new: clips without labels, all with an event.
        progress: called with the clips written and their number.

    Raises:
        UsageError: PyAV is not installed.
        StorageError: no space, no permission.
    """
    labelled = draw_scenes(count, seed, "clip")
    fresh = draw_scenes(new, seed + 1_000_003, "new", empty=0.0)
    for folder in (VIDEOS, NEW):
        (out / folder).mkdir(parents=True, exist_ok=True)
    paths = [out / VIDEOS / f"{scene.name}.mp4" for scene in labelled]
    others = [out / NEW / f"{scene.name}.mp4" for scene in fresh]
    for number, (path, scene) in enumerate(zip([*paths, *others], [*labelled, *fresh], strict=True), 1):
        write_clip(path, frames(scene), sound(scene), FPS, RATE)
        if progress is not None:
            progress(number, count + new)
    write_bytes(out / TABLE, _table(labelled).encode())
    return DemoClips(out / VIDEOS, out / TABLE, tuple(zip(others, fresh, strict=True)))


def _table(scenes: Sequence[Scene]) -> str:
    """The labels: one row per clip; empty times for a clip without an event."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["video", "category", "start", "end", "split"])
    for number, scene in enumerate(scenes):
        start, end = scene.event or ("", "")
        category = scene.category if scene.event else ""
        writer.writerow([f"{scene.name}.mp4", category, start, end, split_of(number, len(scenes))])
    return text.getvalue()


def split_of(number: int, count: int) -> str:
    """Split of the clip with this number: the first clips train, the last ones test."""
    share, bound = (number + 0.5) / count, 0.0
    for name, part in SPLITS:
        bound += part
        if share <= bound:
            return name
    return SPLITS[-1][0]
