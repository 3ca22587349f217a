"""A folder in OV-AVEBench's layout with synthetic labels, for tests and first steps."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from avelzoo.errors import StorageError, UsageError, reason
from avelzoo_ov_ave.features import RECORD, VIDEOS
from avelzoo_ov_ave.files import COLUMNS
from avelzoo_ov_ave.labels import ANNOTATIONS, FOLDER, META

SPLITS = {"train": 0.532, "val": 0.234, "test": 0.234}
"""Shares of the splits, about those of OV-AVEBench: 13,182, 5,798 and 5,820 of 24,800 clips."""
KINDS = {"none": 0.243, "full": 0.435, "several": 0.129, "partial": 0.193}
"""Shares of clips: without an event, with one in every segment, with several runs, with one shorter run."""
SEEN, UNSEEN = 46, 21


@dataclass(frozen=True, kw_only=True)
class Simulation:
    """What to make.

    Attributes:
        clips: number of clips, at least 40.
        seen: number of categories in training.
        unseen: number of categories in val and test alone.
        segments: segments of a clip.
        seed: random seed.
        features: whether to write features: noise plus a pattern of the category in its event's segments.
    """

    clips: int = 400
    seen: int = SEEN
    unseen: int = UNSEEN
    segments: int = 10
    seed: int = 0
    features: bool = False


def simulate(out: Path, plan: Simulation) -> dict[str, int]:
    """Write the folder; returns the number of clips per split.

    Raises:
        UsageError: the folder is not empty, or a number is too small.
        StorageError: a file cannot be written.
    """
    if plan.clips < 40 or plan.seen < 1 or plan.unseen < 0 or plan.segments < 3:
        raise UsageError("the simulation is too small", expected="40 clips, 1 seen category, 3 segments or more")
    if out.is_file() or (out.is_dir() and any(out.iterdir())):
        raise UsageError("the output folder is not empty", where=str(out), fix="name a new folder")
    rng = np.random.default_rng(plan.seed)
    names = [f"clip{i:05d}" for i in range(plan.clips)]
    splits = np.repeat(list(SPLITS), _counts(plan.clips, list(SPLITS.values())))
    kinds = rng.choice(list(KINDS), size=plan.clips, p=list(KINDS.values()))
    every = plan.seen + plan.unseen
    category = np.array([rng.integers(plan.seen if split == "train" else every) for split in splits])
    flags = np.array([_flags(rng, kind, plan.segments) for kind in kinds])
    try:
        (out / FOLDER).mkdir(parents=True)
        words = [_name(int(c), plan.seen) for c in category]
        _write_meta(out / FOLDER / META, names, splits.tolist(), words)
        _write_annotations(out / FOLDER / ANNOTATIONS["released"], names, words, flags)
        if plan.features:
            _write_features(out, names, category, flags, rng)
    except OSError as error:
        raise StorageError("the folder cannot be written", where=str(out), found=reason(error)) from error
    return {name: int((splits == name).sum()) for name in SPLITS}


def _counts(total: int, shares: Sequence[float]) -> list[int]:
    counts = [int(total * share) for share in shares[1:]]
    return [total - sum(counts), *counts]


def _flags(rng: np.random.Generator, kind: str, t: int) -> NDArray[np.int64]:
    """(t) 0 or 1: no run, one in every segment, one shorter run, or two runs apart."""
    found = np.zeros(t, dtype=np.int64)
    if kind == "full":
        found[:] = 1
    elif kind == "partial":
        length = int(rng.integers(1, t))
        start = int(rng.integers(t - length + 1))
        found[start : start + length] = 1
    elif kind == "several":
        gap = int(rng.integers(1, t - 1))
        found[:] = 1
        found[gap : int(rng.integers(gap + 1, t))] = 0
    return found


def _name(category: int, seen: int) -> str:
    return f"seen event {category:02d}" if category < seen else f"unseen event {category - seen:02d}"


def _write_meta(path: Path, names: Sequence[str], splits: Sequence[str], categories: Sequence[str]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for name, split, category in zip(names, splits, categories, strict=True):
        writer.writerow([split, category, "close" if category.startswith("seen") else "open", name])
    path.write_text(text.getvalue(), "utf-8")


def _write_annotations(path: Path, names: Sequence[str], categories: Sequence[str], flags: NDArray[np.int64]) -> None:
    rows = zip(names, categories, flags, strict=True)
    entries = {name: {"category": category, "label": str(row.tolist())} for name, category, row in rows}
    path.write_text(json.dumps(entries, indent=1), "utf-8")


def _write_features(
    out: Path, names: Sequence[str], category: NDArray[np.int64], flags: NDArray[np.int64], rng: np.random.Generator
) -> None:
    patterns = rng.normal(size=(int(category.max()) + 1, 2, 8)).astype(np.float32)
    noise = rng.normal(scale=0.5, size=(2, *flags.shape, 8)).astype(np.float32)
    signal = patterns[category][:, :, None] * flags[:, None, :, None]
    audio, visual = noise[0] + signal[:, 0], (noise[1] + signal[:, 1])[:, :, None, None]
    for name, array in (("audio_feature.h5", audio), ("visual_feature.h5", visual)):
        with h5py.File(out / name, "w") as file:
            file.create_dataset("avadataset", data=array)
    sources = {
        name: {"file": f"{name}_feature.h5", "extractor": "simulated", "options": {}, "recipe": {}, "recipe_id": "none"}
        for name in ("audio", "visual")
    }
    (out / RECORD).write_text(json.dumps({"seconds": 1.0} | sources), "utf-8")
    lines = "".join(f"{name}.mp4,ok\n" for name in names)
    (out / VIDEOS).write_text(f"video,status\n{lines}", "utf-8")
