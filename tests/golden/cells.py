"""What every recipe composes and computes, as plain data: the values that a change of structure must not move."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from avelzoo.builtin.datasets.configs import WorldsConfig
from avelzoo.composition.building import build
from avelzoo.composition.checking import check
from avelzoo.composition.recipe import Recipe
from avelzoo.composition.resolving import resolve
from avelzoo.errors import CompositionError, SupervisionError
from avelzoo.plugin.default import default_host
from avelzoo.testing.harness import random_batch, random_targets

HERE = Path(__file__).resolve().parent
COMPOSITIONS, NUMBERS = HERE / "compositions.json", HERE / "numbers.json"
STEPS = 2


def cells() -> Iterator[tuple[str, Recipe]]:
    """(name/supervision, recipe) of every registered recipe under every supervision it works in."""
    for entry in default_host().registry.entries("recipe"):
        for supervision in ("full", "weak"):
            try:
                recipe: Recipe = entry.target(supervision)
                check(recipe, default_host().registry)
            except (SupervisionError, CompositionError):
                continue
            yield f"{entry.name}/{supervision}", recipe


def composition(recipe: Recipe) -> dict[str, Any]:
    """Name and every value of each slot, as `composition.json` holds them."""
    data = resolve(default_host().registry, recipe.name, supervision=recipe.supervision).to_dict()
    return {slot: {key: row[key] for key in ("name", "options") if key in row} for slot, row in data["slots"].items()}


def numbers(recipe: Recipe) -> dict[str, Any]:
    """Terms of the first training steps under plain gradient descent, and a checksum of what the model then answers."""
    spec = WorldsConfig().open(recipe.supervision).spec
    weak = recipe.supervision == "weak"
    torch.manual_seed(0)
    model = build(recipe, spec)
    model.begin_epoch(0, 2)
    model.train()
    steps = []
    for step in range(STEPS):
        batch = random_batch(spec, 4, 6, seed=step)
        targets = random_targets(spec, 4, 6, weak=weak, seed=step, negatives=int(weak))
        torch.manual_seed(step)
        out = model(batch, targets)
        steps.append(
            {name: float(value.detach()) for name, value in sorted(out.terms.items())}
            | {"loss": float(out.loss.detach())}
        )
        model.zero_grad()
        if out.loss.requires_grad:
            out.loss.backward()
        with torch.no_grad():
            for parameter in (p for p in model.parameters() if p.grad is not None):
                parameter.sub_(0.01 * parameter.grad)
    model.eval()
    with torch.no_grad():
        predictions = model.head.decode(model.predict(random_batch(spec, 4, 6, seed=9), model.view()))
    answer = {"relevance": float(predictions.relevance.mean()), "scores": float(predictions.category_scores.std())}
    return {"steps": steps, "answer": answer, "parameters": sum(p.numel() for p in model.parameters())}


def changes(found: Any, recorded: Any, where: str = "") -> list[str]:
    """What differs by more than rounding, with both values."""
    if isinstance(found, Mapping) and isinstance(recorded, Mapping):
        keys = [*recorded, *(key for key in found if key not in recorded)]
        return [line for key in keys for line in changes(found.get(key), recorded.get(key), f"{where}.{key}")]
    if isinstance(found, list) and isinstance(recorded, list):
        return changes(dict(enumerate(found)), dict(enumerate(recorded)), where)
    if isinstance(found, float) and isinstance(recorded, float):
        same = math.isclose(found, recorded, rel_tol=2e-3, abs_tol=1e-5)
    else:
        same = found == recorded
    return [] if same else [f"{where.lstrip('.')} is {found}, was {recorded}"]


def renewed(found: Mapping[str, Any], recorded: Mapping[str, Any]) -> dict[str, Any]:
    """The new values of every cell; the recorded ones where only rounding differs."""
    return {
        name: recorded[name] if name in recorded and not changes(value, recorded[name]) else value
        for name, value in found.items()
    }
