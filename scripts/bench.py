"""Seconds per training step and videos per second in evaluation, for some recipes, on random features of AVE's sizes.

Times are medians over repeated steps on this machine as it is, so compare them within one call only.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from avelzoo import FeatureSpec, Recipe, build
from avelzoo.host import default_host
from avelzoo.testing import random_batch, random_targets

SPEC = FeatureSpec(
    segments=10, audio_dim=128, grid=(7, 7), visual_dim=512, categories=tuple(f"event {i}" for i in range(28))
)
RECIPES = ["single-branch", "double-branch", "ead-b"]


def median_seconds(action: Callable[[], None], repeats: int) -> float:
    """Median time of an action, after once for warming up."""
    action()
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        action()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def measure(recipe: Recipe, *, batch_size: int, repeats: int) -> dict[str, Any]:
    """Train and evaluate on one batch again and again."""
    torch.manual_seed(0)
    model = build(recipe, SPEC)
    optimizer = torch.optim.Adam(model.parameters(), lr=recipe.train.learning_rate)
    for seed in range(math.ceil(6 * SPEC.n / batch_size)):  # fill the memory, so that its full cost is measured
        batch = random_batch(SPEC, batch_size, seed=seed)
        targets = random_targets(SPEC, batch_size, seed=seed)
        with torch.no_grad():
            model.memory.observe(model.encoder(batch.audio, batch.visual), batch, targets)

    def train() -> None:
        optimizer.zero_grad()
        model(batch, targets).loss.backward()
        optimizer.step()

    def evaluate() -> None:
        with torch.no_grad():
            model.predict(batch, view)

    model.train()
    step = median_seconds(train, repeats)
    model.eval()
    with torch.no_grad():
        view = model.view()
    return {
        "recipe": recipe.name,
        "parameters": sum(p.numel() for p in model.parameters()),
        "seconds_per_step": step,
        "train_videos_per_second": batch_size / step,
        "evaluation_videos_per_second": batch_size / median_seconds(evaluate, repeats),
    }


def main() -> int:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipes", nargs="*", default=RECIPES, help=f"default: {' '.join(RECIPES)}")
    parser.add_argument("--batch-size", type=int, default=8, help="videos per step (default: 8)")
    parser.add_argument("--repeats", type=int, default=5, help="steps behind each median (default: 5)")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    options = parser.parse_args()
    registry = default_host().registry
    rows = []
    for name in options.recipes:
        recipe = registry.get("recipe", name).target("full")
        rows.append(measure(recipe, batch_size=options.batch_size, repeats=options.repeats))
    grid = Table(title=f"batch {options.batch_size}, float32, {torch.get_num_threads()} threads", title_justify="left")
    for column in ("recipe", "parameters", "s / training step", "videos / s, training", "videos / s, evaluation"):
        grid.add_column(column, justify="left" if column == "recipe" else "right")
    for row in rows:
        name, parameters, *figures = row.values()
        grid.add_row(name, f"{parameters:,}", *(f"{figure:.3g}" for figure in figures))
    Console().print(grid)
    if options.json:
        options.json.write_text(json.dumps({"batch_size": options.batch_size, "rows": rows}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
