"""Runs without training: a recipe's model after two steps, whose memory has content."""

from __future__ import annotations

from pathlib import Path

import torch

from avelzoo.components import Supervision
from avelzoo.composition.building import build
from avelzoo.composition.overrides import Override
from avelzoo.composition.resolving import resolve
from avelzoo.engine.loading import LoadedRun
from avelzoo.plugin.default import default_host
from avelzoo.records import FeatureSpec
from avelzoo.testing.harness import random_batch, random_targets

SPEC = FeatureSpec(segments=5, audio_dim=6, grid=(2, 3), visual_dim=8, categories=("bark", "bell", "horn"))


def stepped(
    name: str, supervision: Supervision = "full", *, encoder: str | None = None, **options: object
) -> LoadedRun:
    """The run of a recipe, or of it with another encoder or other ``options`` of its own, after two steps."""
    choices = {} if encoder is None else {"encoder": encoder}
    overrides = [Override(f"encoder.{option}", value, "test") for option, value in options.items()]
    composition = resolve(default_host().registry, name, supervision=supervision, choices=choices, overrides=overrides)
    torch.manual_seed(0)
    model = build(composition.recipe, SPEC)
    model.begin_epoch(0, 2)
    model.train()
    with torch.no_grad():
        for seed in range(2):
            targets = random_targets(SPEC, 9, weak=supervision == "weak", seed=seed)
            model(random_batch(SPEC, 9, seed=seed), targets)
    return LoadedRun(Path("run"), composition, SPEC, model.eval(), None)
