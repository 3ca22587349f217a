"""Simulated features in AVE's public layout, at any scale, written one block of rows at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path

import h5py
import numpy as np

from avelzoo.data import facts
from avelzoo.data.making.folder import nearest_folder, need_space, new_folder
from avelzoo.data.making.generator import Generator, Part, Sizes
from avelzoo.data.making.plan import AUDIO_DIMS, DEFAULT_VIDEOS, Plan, make_plan
from avelzoo.data.reading.categories import CATEGORIES
from avelzoo.data.reading.labels import RULES, one_hot
from avelzoo.data.reading.layout import (
    ANNOTATIONS,
    AUDIO,
    MARKER,
    NEGATIVE_AUDIO,
    NEGATIVE_LABELS,
    NEGATIVE_VISUAL,
    ORDER_KEYS,
    ORDERS,
    VISUAL,
    AudioKind,
)
from avelzoo.version import __version__

BLOCK = 32 << 20
"""Approximate bytes of features held in memory at a time."""

NOTE = (
    "The features in this folder are simulated: random numbers with the sizes and statistics of AVE's. "
    "Scores reached on them say nothing about AVE."
)

Tick = Callable[[int], None]


@dataclass(frozen=True)
class Simulation:
    """Settings of a simulation.

    Attributes:
        annotations: path of real annotations; None for generated ones, see ``make_plan``.
        videos: number of videos; None for all.
        negatives: number of negatives; None for all real ones, or AVE's number per training video.
        audio: kind of audio features: 128 or 2048 channels.
        seed: random seed.
        grid: (h, w) of the visual maps.
        visual_dim: v.
    """

    annotations: Path | None = None
    videos: int | None = DEFAULT_VIDEOS
    negatives: int | None = None
    audio: AudioKind = "vggish"
    seed: int = 0
    grid: tuple[int, int] = (7, 7)
    visual_dim: int = 512

    def plan(self) -> Plan:
        """Choose annotations, splits and negatives.

        Raises:
            DataError: the annotations or another file in their folder is wrong.
            OptionError: too many videos or negatives requested.
        """
        return make_plan(
            annotations=self.annotations,
            videos=self.videos,
            negatives=self.negatives,
            audio=self.audio,
            seed=self.seed,
        )

    def sizes(self, segments: int = facts.SEGMENTS) -> Sizes:
        """Sizes of a video's features."""
        return Sizes(segments, self.grid, self.visual_dim, AUDIO_DIMS[self.audio])

    def bytes(self, videos: int, segments: int = facts.SEGMENTS) -> int:
        """Bytes of the features of a number of videos, as float64."""
        sizes = self.sizes(segments)
        return videos * 8 * int(np.prod(sizes.visual) + np.prod(sizes.audio))


def simulate(
    simulation: Simulation,
    target: Path,
    *,
    force: bool = False,
    begin: Callable[[int], Tick | None] | None = None,
) -> dict[str, object]:
    """Write a simulated folder; returns its marker's content.

    The files are written to a temporary folder beside ``target``, which is renamed at the end.

    Args:
        simulation: settings of the simulation.
        target: the folder to create.
        force: whether to move aside a folder with other files.
        begin: called with the bytes of features to write; returns a callback for the bytes written.

    Raises:
        DataError: the annotations or another file in their folder is wrong.
        OptionError: too many videos or negatives requested.
        UsageError: the folder holds other files.
        StorageError: no space or no permission.
    """
    need_space(nearest_folder(target), simulation.bytes(simulation.videos or 0))  # before annotations are made up
    plan = simulation.plan()
    needed = simulation.bytes(len(plan.rows) + plan.negatives, plan.segments)
    with new_folder(target, needed, force=force) as draft:
        tick = begin(needed) if begin else None
        _write_labels(draft, plan)
        generator = Generator(simulation.seed, plan.categories, simulation.sizes(plan.segments))
        _write_features(draft, plan, generator, simulation.audio, tick)
        marker = _marker(draft, simulation, plan)
        (draft / MARKER).write_text(json.dumps(marker, indent=2) + "\n", "utf-8")
    return marker


def _write_labels(folder: Path, plan: Plan) -> None:
    (folder / ANNOTATIONS).write_text("".join(f"{row}\n" for row in plan.annotations.rows), "utf-8", newline="\n")
    if plan.annotations.fixed:
        names = "".join(f"{name}\n" for name in plan.annotations.categories)
        (folder / CATEGORIES).write_text(names, "utf-8", newline="\n")
    for name, order in plan.orders.items():
        with h5py.File(folder / ORDERS[name], "w") as file:
            file.create_dataset(ORDER_KEYS[0], data=order)
    n, events = len(plan.annotations.categories), plan.annotations.events
    segments = plan.annotations.segments(plan.segments)
    rows: Iterable[np.ndarray]
    for name, rule in RULES.items():
        shape = rule(segments[:1], events[:1], n).shape[1:]
        rows = (rule(segments[i : i + 1], events[i : i + 1], n)[0] for i in range(len(events)))
        _stream(folder / name, "avadataset", (len(events), *shape), rows, dtype="<f4")
    if plan.negatives:
        rows = repeat(one_hot(np.array(n), n + 1), plan.negatives)
        _stream(folder / NEGATIVE_LABELS, "avadataset", (plan.negatives, n + 1), rows, dtype="<f4")


def _write_features(folder: Path, plan: Plan, generator: Generator, audio: AudioKind, tick: Tick | None) -> None:
    sizes = generator.sizes
    relevance = plan.annotations.segments(plan.segments) != len(plan.annotations.categories)
    videos = list(zip(plan.rows.tolist(), plan.category_ids.tolist(), relevance, strict=True))
    key = "dataset" if audio == "cnn14" else "avadataset"

    def negative_audio(row: int) -> np.ndarray:
        if plan.negative_audio is None:
            return generator.audio("negative", row)
        stored: np.ndarray = plan.negative_audio.raw(row, row + 1)[0]
        return stored

    def video(make: Callable[[Part, int, int, np.ndarray], np.ndarray]) -> Iterator[np.ndarray]:
        return (make("video", *known) for known in videos)

    count = len(videos)
    _stream(folder / VISUAL, "avadataset", (count, *sizes.visual), video(generator.visual), tick)
    _stream(folder / AUDIO[audio], key, (count, *sizes.audio), video(generator.audio), tick)
    if plan.negatives:
        count = plan.negatives
        visual = (generator.visual("negative", row) for row in range(count))
        _stream(folder / NEGATIVE_VISUAL, "avadataset", (count, *sizes.visual), visual, tick)
        _stream(folder / NEGATIVE_AUDIO[audio], key, (count, *sizes.audio), map(negative_audio, range(count)), tick)


def _stream(
    path: Path,
    key: str,
    shape: tuple[int, ...],
    rows: Iterable[np.ndarray],
    tick: Tick | None = None,
    *,
    dtype: str = "<f8",
) -> None:
    """Write rows as one contiguous array, like the public files."""
    source, count = iter(rows), shape[0]
    row_bytes = np.dtype(dtype).itemsize * int(np.prod(shape[1:]))
    block = np.empty((max(1, min(count, BLOCK // row_bytes)), *shape[1:]), dtype)
    with h5py.File(path, "w") as file:
        array = file.create_dataset(key, shape, dtype=dtype)
        for start in range(0, count, len(block)):
            stop = min(start + len(block), count)
            for place in range(stop - start):
                block[place] = next(source)
            array[start:stop] = block[: stop - start]
            if tick is not None:
                tick((stop - start) * row_bytes)


def _marker(folder: Path, simulation: Simulation, plan: Plan) -> dict[str, object]:
    return {
        "simulated": True,
        "note": NOTE,
        "avelzoo": __version__,
        "seed": simulation.seed,
        "videos": len(plan.rows),
        "splits": {name: len(order) for name, order in plan.orders.items()},
        "categories": len(plan.annotations.categories),
        "negatives": plan.negatives,
        "audio": simulation.audio,
        "real": {
            "annotations": plan.real_annotations,
            "splits": plan.real_splits,
            "negatives_audio": plan.negative_audio is not None and plan.negatives > 0,
        },
        "files": {path.name: path.stat().st_size for path in sorted(folder.iterdir())},
    }
