"""A million videos: labels, splits, reading, scores and files, with features of 24 numbers a segment."""

from __future__ import annotations

import os
import pickle
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import h5py
import numpy as np

from avelzoo import AveConfig
from avelzoo.contracts import Split
from avelzoo.data.making.pack import pack
from avelzoo.metrics import PredictionArrays, Truth, score
from avelzoo.metrics.stored import load_predictions, save_predictions
from avelzoo.system.memory import memory_mb, rss_mb

CATEGORIES, SEGMENTS, BATCH, BATCHES, SHARDS = 1000, 10, 128, 100, 20
T = TypeVar("T")


def write(root: Path, videos: int) -> None:
    """A folder in the public layout: random labels and small features."""
    rng = np.random.default_rng(0)
    events, starts = rng.integers(0, CATEGORIES, videos).tolist(), rng.integers(0, SEGMENTS - 2, videos).tolist()
    lines = (f"category {c:04}&{i:011}&good&{s}&{s + 3}\n" for i, (c, s) in enumerate(zip(events, starts, strict=True)))
    (root / "Annotations.txt").write_text("".join(lines), "utf-8")
    order = rng.permutation(videos)
    for name, rows in zip(("train", "val", "test"), np.split(order, [videos * 8 // 10, videos * 9 // 10]), strict=True):
        with h5py.File(root / f"{name}_order.h5", "w") as file:
            file["order"] = rows
    for name, shape in (("visual_feature.h5", (SEGMENTS, 2, 2, 4)), ("audio_feature.h5", (SEGMENTS, 8))):
        with h5py.File(root / name, "w") as file:
            array = file.create_dataset("avadataset", (videos, *shape), dtype="f2")
            for start in range(0, videos, 1 << 16):
                array[start : start + (1 << 16)] = rng.random((min(1 << 16, videos - start), *shape), np.float32)


def measured(videos: int) -> dict[str, Any]:
    """Seconds and memory of each stage; call it in a fresh process."""
    stages: dict[str, dict[str, float]] = {}

    def stage(name: str, action: Callable[[], T]) -> T:
        kept, began = rss_mb(os.getpid()), time.perf_counter()
        found = action()
        stages[name] = {"seconds": time.perf_counter() - began, "kept_mb": rss_mb(os.getpid()) - kept}
        return found

    with tempfile.TemporaryDirectory() as scratch:
        root, packed = Path(scratch) / "data", Path(scratch) / "shards"
        root.mkdir()
        write(root, videos)
        data = stage("open", lambda: AveConfig(root=root).open("full"))
        train, test = stage("split", lambda: (data.split("train"), data.split("test")))
        stage("checksums", data.fingerprint)
        stage("copy to a reading process", lambda: pickle.dumps(train))
        order = stage("shuffle", lambda: np.random.default_rng(0).permutation(len(train)))
        stage("read", lambda: read(train, order))
        stage("pack", lambda: pack(root, packed, shards=SHARDS))
        shards = stage("open shards", lambda: AveConfig(root=packed).open("full"))
        stage("read shards", lambda: read(shards.split("train"), order))
        found, truth = stage("predictions", lambda: predictions(test, data.spec.categories))
        stage("scores and bootstrap", lambda: score(found, truth))
        path = Path(scratch) / "predictions.h5"
        stage("write predictions", lambda: save_predictions(path, data.spec, {"test": (test, found)}))
        stage("read predictions", lambda: load_predictions(path, "test"))
        size = path.stat().st_size
    return {
        "videos": videos,
        "categories": CATEGORIES,
        "test_videos": len(test),
        "shards": SHARDS,
        "batches": BATCHES,
        "predictions_bytes_per_video": size / len(test),
        "peak_mb": memory_mb(),
        "stages": stages,
    }


def read(split: Split, order: np.ndarray) -> None:
    """Batches in random order."""
    for number in range(min(BATCHES, len(order) // BATCH)):
        split.fetch(order[number * BATCH : (number + 1) * BATCH])


def predictions(split: Split, categories: tuple[str, ...]) -> tuple[PredictionArrays, Truth]:
    """Random predictions of a split, and its truth."""
    rng, labels = np.random.default_rng(0), split.labels()
    wrong = np.where(rng.random(labels.shape) < 0.3, len(categories), labels)
    ranked = rng.random((len(labels), len(categories)), np.float32)
    found = PredictionArrays(
        segments=wrong,
        category=split.events(),
        category_scores=ranked,
        relevance=rng.random(labels.shape, np.float32),
    )
    return found, Truth(segments=labels, events=split.events(), categories=categories)
