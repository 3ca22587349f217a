"""Runs without training: a recipe's model after two steps, whose memory has content."""

from __future__ import annotations

from pathlib import Path

import torch

from avelzoo.composition.building import build
from avelzoo.composition.recipe import Recipe
from avelzoo.composition.resolving import resolve
from avelzoo.engine.loading import LoadedRun
from avelzoo.plugin.default import default_host
from avelzoo.records import FeatureSpec
from avelzoo.testing.harness import random_batch, random_targets

SPEC = FeatureSpec(segments=5, audio_dim=6, grid=(2, 3), visual_dim=8, categories=("bark", "bell", "horn"))


def stepped(recipe: Recipe | str, supervision: str = "full", spec: FeatureSpec = SPEC) -> LoadedRun:
    """The run of a recipe after two steps."""
    name = recipe if isinstance(recipe, str) else recipe.name
    composition = resolve(default_host().registry, name, supervision=supervision)  # type: ignore[arg-type]
    torch.manual_seed(0)
    model = build(composition.recipe, spec)
    model.begin_epoch(0, 2)
    model.train()
    with torch.no_grad():
        for seed in range(2):
            targets = random_targets(spec, 9, weak=supervision == "weak", seed=seed)
            model(random_batch(spec, 9, seed=seed), targets)
    return LoadedRun(Path("run"), composition, spec, model.eval(), None)
