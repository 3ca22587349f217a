"""Unit costs: bytes and reading of a video, time of a segment and a slot. Features have AVE's sizes and are random."""

from __future__ import annotations

import contextlib
import io
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from avelzoo import AveConfig, FeatureSpec, Model, Recipe, build
from avelzoo.cli import main as avelzoo
from avelzoo.plugin.default import default_host
from avelzoo.testing import random_batch, random_targets

CATEGORIES, SLOTS = 1000, 16


def spec_of(categories: int) -> FeatureSpec:
    """AVE's sizes with so many categories."""
    names = tuple(f"event {i}" for i in range(categories))
    return FeatureSpec(segments=10, audio_dim=128, grid=(7, 7), visual_dim=512, categories=names)


def seconds(action: Callable[[], Any], repeats: int) -> float:
    """Median time of an action, after once for warming up."""
    action()
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        action()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def video_bytes(spec: FeatureSpec) -> dict[str, int]:
    """Bytes of a video's features by number format."""
    numbers = spec.segments * (spec.grid[0] * spec.grid[1] * spec.visual_dim + spec.audio_dim)
    return {f"bytes_per_video_{name}": numbers * size for name, size in (("float64", 8), ("float32", 4), ("half", 2))}


def reading(videos: int, batch: int, repeats: int) -> dict[str, float]:
    """Random batches out of float64 files in the public layout, as the system's cache holds them."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "data"
        arguments = ["data", "simulate", str(folder), "--videos", str(videos), "--json"]
        with contextlib.redirect_stdout(io.StringIO()):
            code = avelzoo(arguments)
        if code:
            raise SystemExit(code)
        split = AveConfig(root=folder).open("full").split("train")
        order = np.random.default_rng(0).permutation(len(split))[:batch]
        took = seconds(lambda: split.fetch(order), repeats)
    return {"read_seconds_per_video": took / len(order)}


def filled(recipe: Recipe, categories: int) -> Model:
    """A model whose bank is full of random features."""
    torch.manual_seed(0)
    model = build(recipe, spec_of(categories))
    for name, buffer in model.memory.named_buffers():
        if name.endswith("filled"):
            buffer.fill_(True)
        elif name.endswith(("audio", "visual")):
            buffer.normal_().relu_()
    return model


def step_seconds(recipe: Recipe, batch: int, repeats: int) -> float:
    """A training step without a bank."""
    model = build(recipe, spec_of(28)).train()
    optimizer = torch.optim.Adam(model.parameters())
    videos, targets = random_batch(spec_of(28), batch), random_targets(spec_of(28), batch)

    def step() -> None:
        optimizer.zero_grad()
        model(videos, targets).loss.backward()
        optimizer.step()

    return seconds(step, repeats)


def bank(recipe: Recipe, categories: int, repeats: int) -> dict[str, float]:
    """Encoding a bank: once per evaluation without gradient, once per training step with it."""
    model, slots = filled(recipe, categories), categories * SLOTS
    model.eval()
    with torch.no_grad():
        alone = seconds(model.view, repeats)
    model.train()
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    def with_gradient() -> None:
        view = model.view()
        assert view is not None
        view.items.sum().backward()

    both = seconds(with_gradient, repeats)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        model.view()
    return {
        "slots": slots,
        "encode_seconds_per_slot": alone / slots,
        "encode_and_backward_seconds_per_slot": both / slots,
        "kept_for_backward_bytes_per_slot": sum(kept.values()) / slots,
    }


def stored_bytes(recipe: Recipe) -> int:
    """What a bank of many categories stores; nothing is allocated."""
    with torch.device("meta"):
        model = build(recipe, spec_of(CATEGORIES))
    return sum(buffer.numel() * buffer.element_size() for buffer in model.memory.buffers())


def measure(*, videos: int = 96, batch: int = 32, repeats: int = 3) -> dict[str, Any]:
    """Costs of a video, a segment and a slot."""
    recipes = default_host().registry
    ead_b, plain = (recipes.get("recipe", name).target("full") for name in ("ead-b", "double-branch"))
    found: dict[str, Any] = {"threads": torch.get_num_threads()} | video_bytes(spec_of(28))
    found |= reading(videos, min(batch, videos // 2), repeats)
    found["step_seconds_per_segment"] = step_seconds(plain, batch, repeats) / (batch * 10)
    found["banks"] = [bank(ead_b, categories, repeats) for categories in (7, 14, 28)]
    found[f"bank_bytes_{CATEGORIES}_categories"] = stored_bytes(ead_b)
    return found
