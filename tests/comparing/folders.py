"""Run folders with made-up predictions, so that no test here trains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from avelzoo.composition.overrides import Override
from avelzoo.composition.resolving import resolve
from avelzoo.metrics import PredictionArrays, Truth, score
from avelzoo.metrics.stored import save_predictions
from avelzoo.plugin.default import default_host
from avelzoo.records import FeatureSpec
from avelzoo.system.files import write_json

CATEGORIES = ("bell", "dog", "horn")


@dataclass(frozen=True)
class Labels:
    """As much of a split as is written to ``predictions.h5``."""

    truth: Truth
    video_ids: Sequence[str]

    def labels(self) -> np.ndarray:
        return self.truth.segments

    def events(self) -> np.ndarray:
        return self.truth.events

    def lengths(self) -> np.ndarray:
        return self.truth.lengths


def made_truth(videos: int = 60, t: int = 10, seed: int = 0) -> Truth:
    """Videos with one run of one category each."""
    rng = np.random.default_rng(seed)
    events = rng.integers(0, len(CATEGORIES), videos)
    length = np.where(rng.random(videos) < 0.6, t, rng.integers(2, t, videos))
    start = (rng.random(videos) * (t - length + 1)).astype(int)
    place = np.arange(t)
    event = (place >= start[:, None]) & (place < (start + length)[:, None])
    return Truth(segments=np.where(event, events[:, None], len(CATEGORIES)), events=events, categories=CATEGORIES)


def predicted(truth: Truth, wrong: float, seed: int) -> np.ndarray:
    """The truth with a share of the segments replaced by a random id, (v t)."""
    rng = np.random.default_rng([seed, 7])
    noise = rng.integers(0, truth.n + 1, truth.segments.shape)
    return np.where(rng.random(truth.segments.shape) < wrong, noise, truth.segments)


def make_run(
    path: Path,
    *,
    truth: Truth,
    wrong: float = 0.1,
    recipe: str = "ead-b",
    supervision: str = "full",
    seed: int = 0,
    options: Mapping[str, Any] | None = None,
    choices: Mapping[str, str] | None = None,
    data: str = "0" * 64,
    ids: Sequence[str] | None = None,
    leaks: bool = False,
) -> Path:
    """Write a finished run folder with these values of its composition."""
    chosen = [Override(name, value, "--set") for name, value in {**(options or {}), "train.seed": seed}.items()]
    registry = default_host().registry
    composition = resolve(registry, recipe, supervision=supervision, overrides=chosen, choices=choices)
    segments = predicted(truth, wrong, seed + int(1000 * wrong))
    events = np.where(truth.has_event, truth.events, 0)
    found = PredictionArrays(
        segments=segments,
        category=events,
        category_scores=np.eye(truth.n, dtype=np.float32)[events],
        relevance=(segments != truth.n).astype(np.float32),
        lengths=truth.lengths,
    )
    spec = FeatureSpec(
        segments=truth.segments.shape[1], audio_dim=4, grid=(1, 1), visual_dim=4, categories=truth.categories
    )
    path.mkdir(parents=True)
    record = composition.to_dict() | {"spec": spec.to_dict(), "data": {"worlds": f"sha256:{data}"}, "seed": seed}
    write_json(path / "composition.json", record | {"versions": {"avelzoo": "0.1.0"}, "command": ["avelzoo", "run"]})
    names = [f"test-{i:05d}" for i in range(len(truth.events))] if ids is None else list(ids)
    labels: Any = Labels(truth, names)
    save_predictions(path / "predictions.h5", spec, dict.fromkeys(("val", "test"), (labels, found)))
    scores = score(found, truth, bootstrap=10).to_dict()
    result = {
        "recipe": f"avelzoo/{recipe}",
        "supervision": supervision,
        "scores": {"val": scores, "test": scores},
        "best_epoch": 1,
        "epochs": 1,
        "optimism_gap": None,
        "seed": seed,
        "run_dir": str(path),
        "parameters": 1,
        "seconds": 1.0,
        "seconds_per_epoch": 1.0,
        "peak_memory_mb": None,
        "device": "cpu",
        "precision": "32",
        "versions": {"avelzoo": "0.1.0"},
        "data": {"worlds": f"sha256:{data}"},
        "weak_protocol": composition.recipe.weak_protocol,
        "leaks_duration": leaks,
    }
    write_json(path / "result.json", result)
    return path
