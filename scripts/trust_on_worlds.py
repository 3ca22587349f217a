"""Simulates test sets whose truth is known, and writes what scores on them are worth: JSON, pictures, tables of a page.

Small systems are trained on `worlds-hard`; after every epoch they are scored on a large population of other videos of
the same world. A test set is 402 videos drawn from the population, so the score on the whole population is its truth.
Usage::

    python scripts/trust_on_worlds.py            # simulate (minutes), then write everything
    python scripts/trust_on_worlds.py --write    # pictures and tables again, from the JSON file
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from trust_page import DOCS, RESULTS, written

from avelzoo import Batch, Targets, build, recipes
from avelzoo.builtin.datasets.configs import HardWorldsConfig
from avelzoo.builtin.encoders.configs import MeanPoolConfig
from avelzoo.contracts import Split
from avelzoo.metrics import MEASURES, VIDEO_COUNTS, Truth, correct_segments, video_counts
from avelzoo.records import FeatureSpec
from avelzoo.statistics import video_interval

VIDEOS = 402
"""Size of a test set: that of AVE's."""
POPULATION = 6_000
EPOCHS = 300
BATCH = 16
RATE = 1e-3
SCHEDULES = ("constant", "cosine")
LENGTHS = (10, 30, 100, 300)
RESAMPLES = 1000
COLUMNS = {
    "segment_accuracy": ("right", "segments"),
    "event_f1_iou50": ("matched_events", "predicted_events", "true_events"),
    "partial_event": ("partial_right", "partial_segments"),
}
"""Measures of the coverage table, and their counts."""

Ints = NDArray[np.int64]


def pooled(split: Split) -> Batch:
    """Features of all videos, with the mean over the grid in place of the grid: the encoder sees no more of it."""
    parts = []
    for start in range(0, len(split), 500):
        batch, _ = split.fetch(np.arange(start, min(start + 500, len(split))))
        parts.append((batch.audio, batch.visual.mean(dim=(2, 3), keepdim=True), batch.rows))
    audio, visual, rows = (torch.cat(tensors) for tensors in zip(*parts, strict=True))
    return Batch(audio=audio, visual=visual, rows=rows)


@dataclasses.dataclass(frozen=True)
class World:
    """Videos to train on, and the population."""

    spec: FeatureSpec
    train: Batch
    targets: Targets
    population: Batch
    truth: Truth

    @classmethod
    def of(cls, config: HardWorldsConfig) -> World:
        """Generate all videos."""
        data = config.open("full")
        train, population = data.split("train"), data.split("test")
        return cls(
            spec=data.spec,
            train=pooled(train),
            targets=train.fetch(np.arange(len(train)))[1],
            population=pooled(population),
            truth=Truth(segments=population.labels(), events=population.events(), categories=data.spec.categories),
        )


def train(world: World, seed: int, schedule: str, epochs: int) -> tuple[Ints, NDArray[np.float64]]:
    """Correct segments of every population video after each epoch (epochs v), and all counts after the last (v c)."""
    torch.manual_seed(seed)
    recipe = dataclasses.replace(recipes["single-branch"]("full"), encoder=MeanPoolConfig(width=64))
    model = build(recipe, world.spec)
    optimizer = torch.optim.Adam(model.parameters(), RATE)
    steps = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs) if schedule == "cosine" else None
    truth, rng = world.truth, np.random.default_rng(seed)
    right = np.zeros((epochs, len(truth.events)), dtype=np.int64)
    for epoch in range(epochs):
        model.train()
        order = torch.from_numpy(rng.permutation(len(world.targets.event)))
        for chosen in torch.split(order, BATCH):
            optimizer.zero_grad()
            model(world.train.take(chosen), world.targets.take(chosen)).loss.backward()
            optimizer.step()
        if steps:
            steps.step()
        model.eval()
        with torch.no_grad():
            found = model.decode(model.predict(world.population, model.view()))
        right[epoch] = correct_segments(found.segments.numpy(), truth)
    return right, video_counts(found.segments.numpy(), truth, found.category.numpy())


def coverage(counts: NDArray[np.float64], sets: int, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """How often the intervals of drawn test sets hold the population's value, and their mean width."""
    rng, rows = np.random.default_rng(0), []
    drawn = rng.integers(0, len(counts), size=(sets, VIDEOS))
    for name, columns in COLUMNS.items():
        statistic = MEASURES[name].statistic
        used = counts * np.isin(VIDEO_COUNTS, columns)
        truth = float(statistic(used.sum(axis=0)))
        found = [video_interval(used[videos], statistic, resamples=RESAMPLES, seed=i) for i, videos in enumerate(drawn)]
        ends = np.array([(one.value, one.low, one.high) for one in found])
        rows.append({"measure": name, "method": "videos", **covered(ends, truth)})
        if name == "segment_accuracy":
            segments = VIDEOS * int(counts[0, VIDEO_COUNTS.index("segments")])
            half = 1.96 * np.sqrt(ends[:, 0] * (1 - ends[:, 0]) / segments)
            naive = np.stack([ends[:, 0], ends[:, 0] - half, ends[:, 0] + half], axis=1)
            rows.append({"measure": name, "method": "segments", **covered(naive, truth)})
            rows[0]["first"] = ends[:40].round(5).tolist()
        say(f"coverage of {name}: {rows[-1]}"[:160])
    return rows


def covered(ends: NDArray[np.float64], truth: float) -> dict[str, Any]:
    """Share of intervals (value, low, high) that hold the truth."""
    holds = (ends[:, 1] <= truth) & (truth <= ends[:, 2])
    return {
        "truth": truth, "sets": len(ends), "coverage": float(holds.mean()),
        "width": float((ends[:, 2] - ends[:, 1]).mean()), "deviation": float(ends[:, 0].std()),
    }  # fmt: skip


def selection(right: Ints, segments: int, sets: int, seed: int) -> list[dict[str, float]]:
    """Scores of the epochs chosen on a val set and on the test set, against the truth, by length of the run."""
    rng, (_, videos) = np.random.default_rng(seed), right.shape
    truth, rows = right.mean(axis=1) / segments, []
    val, test = (
        np.stack([np.bincount(rng.integers(0, videos, size=VIDEOS), minlength=videos) for _ in range(sets)])
        for _ in range(2)
    )
    curves = [(draws.astype(np.float64) @ right.T) / (VIDEOS * segments) for draws in (val, test)]
    spread = np.sqrt((test.astype(np.float64) @ (right / segments).T ** 2) / VIDEOS - curves[1] ** 2)
    every = np.arange(sets)
    for length in LENGTHS:
        on_val, on_test = (curve[:, :length].argmax(axis=1) for curve in curves)
        best, chosen = curves[1][every, on_test], curves[1][every, on_val]
        half = 1.96 * spread[every, on_test] / np.sqrt(VIDEOS)
        rows.append({
            "epochs": length,
            "val_excess": float((chosen - truth[on_val]).mean()),
            "val_truth": float(truth[on_val].mean()),
            "test_excess": float((best - truth[on_test]).mean()),
            "test_truth": float(truth[on_test].mean()),
            "gap": float((best - chosen).mean()),
            "gap_95": float(np.quantile(best - chosen, 0.95)),
            "above": float((best > truth[on_test]).mean()),
            "covered": float((np.abs(best - truth[on_test]) <= half).mean()),
        })  # fmt: skip
    return rows


def simulate(population: int, epochs: int, seeds: int, sets: int) -> dict[str, Any]:
    """Everything that the page says."""
    start = time.perf_counter()

    def say(text: str) -> None:
        print(f"{time.perf_counter() - start:6.0f} s  {text}", file=sys.stderr, flush=True)

    data = HardWorldsConfig(test_videos=population)
    world = World.of(data)
    say(f"generated {population} videos")
    runs: list[dict[str, Any]] = []
    table: list[dict[str, Any]] = []
    for schedule in SCHEDULES:
        by_seed = []
        for seed in range(seeds):
            right, counts = train(world, seed, schedule, epochs)
            say(f"trained: {schedule}, seed {seed}, truth {right[-1].mean() / data.segments:.4f}")
            by_seed.append(selection(right, data.segments, sets, seed))
            if not table:
                table = coverage(counts, 2 * sets, say)
        for rows in zip(*by_seed, strict=True):
            means = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
            runs.append({"schedule": schedule, **means, "epochs": int(rows[0]["epochs"])})
    return {
        "videos": VIDEOS, "population": population, "seeds": seeds, "sets": sets, "resamples": RESAMPLES,
        "train_videos": data.train_videos, "epochs": epochs, "batch_size": BATCH, "learning_rate": RATE,
        "coverage": table, "selection": runs,
    }  # fmt: skip


def main() -> int:
    """Simulate or read; write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write pictures and tables from the JSON file")
    parser.add_argument("--population", type=int, default=POPULATION, help="videos of the population")
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="epochs of each run")
    parser.add_argument("--seeds", type=int, default=2, help="runs per schedule")
    parser.add_argument("--sets", type=int, default=1000, help="drawn test sets")
    options = parser.parse_args()
    if not options.write:
        found = simulate(options.population, options.epochs, options.seeds, options.sets)
        RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    for name, text in written(json.loads(RESULTS.read_text("utf-8")), DOCS / "trust.md").items():
        Path(name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
