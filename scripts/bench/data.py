"""Reading an epoch in random order: the public float64 files as they are, and their packed copy."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from avelzoo import AveConfig
from avelzoo.data.making.pack import pack
from avelzoo.data.making.simulate import Simulation, simulate
from bench.parts import Options
from bench.results import Goal, Row, Section

VISUAL = "visual_feature.h5"
PUBLIC = "public float64 files"


def measure(options: Options) -> Section:
    """Both ways in turns, from the system's cache and, where the system lets go of it, from the disk."""
    with tempfile.TemporaryDirectory(dir=options.scratch) as scratch:
        public, packed = Path(scratch) / "public", Path(scratch) / "packed"
        grid, sizes = (options.sizes.grid, options.sizes.grid), options.sizes
        simulate(Simulation(videos=options.stored, grid=grid, visual_dim=sizes.visual), public)
        pack(public, packed)
        for folder in (public, packed):
            written(folder)
        bytes_per_video = {f.name: (f / VISUAL).stat().st_size / options.stored for f in (public, packed)}
        found: dict[str, dict[str, list[float]]] = {}
        for source, before in (("cache", warm), ("disk", forget)):
            seconds: dict[str, list[float]] = {"public": [], "packed": [], "first": [], "plain": []}
            for _ in range(options.repeats):
                for folder in (public, packed):
                    before(folder)
                    first, whole, videos = epoch(folder, sizes.batch)
                    seconds[folder.name].append(1000 * whole / videos)
                    if folder is public:
                        seconds["first"].append(first)
                before(packed)
                seconds["plain"].append(1000 * timed(lambda: sequentially(packed / VISUAL)) / options.stored)
            found[source] = seconds
    rows = [
        Row(
            name="features of a video on the disk",
            unit="MB",
            value=bytes_per_video["packed"] / 1e6,
            references={PUBLIC: bytes_per_video["public"] / 1e6},
            goal=Goal(of="ratio", limit=3),
        )
    ]
    rows += [
        Row(
            name=f"reading 1,000 videos from the {source}, shuffled",
            unit="s",
            value=statistics.median(seconds["packed"]),
            references={PUBLIC: statistics.median(seconds["public"])},
            floor=statistics.median(seconds["plain"]),
            note="floor: the packed bytes read in order",
        )
        for source, seconds in found.items()
    ]
    first = statistics.median(found["disk"]["first"])
    rows.append(
        Row(name="first batch of public files, from the disk", unit="s", value=first, goal=Goal(of="value", limit=3))
    )
    facts = {"videos": options.stored, "bytes_per_video": bytes_per_video, "seconds_per_1000": found}
    return Section(name="data", rows=rows, facts=facts)


def epoch(folder: Path, batch: int) -> tuple[float, float, int]:
    """Seconds to the first batch, for all of them, and the videos read; the order is random, as in training."""
    began = time.perf_counter()
    split = AveConfig(root=folder).open("full").split("train")
    order = np.random.default_rng(0).permutation(len(split))
    first = 0.0
    for start in range(0, len(order), batch):
        split.fetch(order[start : start + batch])
        first = first or time.perf_counter() - began
    return first, time.perf_counter() - began, len(order)


def timed(action: Callable[[], object]) -> float:
    """Seconds."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def sequentially(path: Path) -> None:
    """Read a file from end to end, into nothing."""
    with path.open("rb", buffering=0) as file:
        block = bytearray(16 << 20)
        while file.readinto(block):
            pass


def written(folder: Path) -> None:
    """Wait until the disk has the files: only then can the cache let go of them."""
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())


def warm(folder: Path) -> None:
    """Bring the features into the system's cache."""
    sequentially(folder / VISUAL)


def forget(folder: Path) -> None:
    """Ask the system to drop the features from its cache; only Linux can be asked."""
    if hasattr(os, "posix_fadvise"):
        with (folder / VISUAL).open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
