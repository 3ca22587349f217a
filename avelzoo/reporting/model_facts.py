"""What a report needs a model for: a map of the embedding, the memory's content, prototypes, and X-rays of videos.

The result is plain data, so it can be stored beside a run whose weights are not kept.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from avelzoo.errors import AvelzooError
from avelzoo.reporting.projection import Method, project

if TYPE_CHECKING:
    from avelzoo.engine import LoadedRun
    from avelzoo.engine.embeddings import BankContent, EmbeddedSplit
    from avelzoo.localization.xray import Baseline
    from avelzoo.plugin.registry import Registry

POINTS = 1200
"""Segments on a map; more would overlap, and t-SNE would take minutes."""
FILE = "report.json"
"""Facts stored in a compact copy of a run."""


def model_facts(path: Path, registry: Registry, *, method: Method = "auto", device: str = "auto") -> dict[str, Any]:
    """Facts of a run's model; ``left_out`` has the reason for each fact that cannot be had.

    Args:
        path: run folder.
        registry: registry of the components.
        method: projection of the map.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
    """
    from avelzoo import engine
    from avelzoo.engine.embeddings import bank_content, embeddings
    from avelzoo.localization.xray import Baseline

    try:
        run = engine.load_run(path, registry)
    except AvelzooError as error:
        return {"left_out": {"model": _reason("the model cannot be loaded", error)}}
    left_out: dict[str, str] = {}
    found: dict[str, Any] = {"left_out": left_out}
    train, baseline = None, None
    recipe = run.composition.recipe
    try:
        train = recipe.dataset.open(recipe.supervision).split("train")
        baseline = Baseline.of_run(run)
    except AvelzooError as error:
        left_out["data"] = _reason("the data cannot be read", error)
    content = bank_content(run, train=train)
    if content is not None:
        found["memory"] = _memory_facts(run, content, baseline)
    if baseline is None:
        return found
    try:
        embedded = embeddings(run, "test", device=device)
        found["map"] = _map_facts(embedded, method)
        found["xray"] = _xray_facts(run, embedded, baseline)
    except AvelzooError as error:
        left_out["data"] = _reason("the test features cannot be read", error)
    else:
        if content is not None:
            found["memory"]["reach"] = _reach(content, *embedded.points())
    return found


def _reason(what: str, error: AvelzooError) -> str:
    return f"{what}: {error.problem}" + (f" ({error.where})" if error.where else "")


def _memory_facts(run: LoadedRun, content: BankContent, baseline: Baseline | None) -> dict[str, Any]:
    slots = [[s.category, s.slot, s.video, s.segment, _rounded(s.score), s.event] for s in content.slots or ()]
    return {
        "name": run.composition.entries["memory"].name,
        "size": int(content.filled.shape[1]),
        "filled": content.filled.sum(axis=1).tolist(),
        "slots": None if content.slots is None else slots,
        "distances": _plain(content.distances()),
        "scale": content.scale,
        "margin": content.margin,
        "preferences": {} if baseline is None else _preferences(run, baseline),
    }


def _preferences(run: LoadedRun, baseline: Baseline) -> Mapping[str, float]:
    """Category -> share of sound in what makes its stored segments events, in [0, 1]."""
    import torch

    from avelzoo.localization.xray import preferences

    with torch.no_grad():
        found = preferences(run.model.eval(), run.model.view(), run.spec.categories, baseline)
    return {name: _rounded(one["preference"]) for name, one in found.items()}


def _map_facts(embedded: EmbeddedSplit, method: Method) -> dict[str, Any]:
    points, category, event = embedded.points()
    where = np.argwhere(np.arange(embedded.fused.shape[1]) < embedded.lengths[:, None])
    chosen = np.arange(len(points)) if len(points) <= POINTS else np.arange(POINTS) * len(points) // POINTS
    projected = project(points[chosen], method=method)
    return {
        "words": projected.words,
        "of": len(points),
        "points": [
            [_rounded(x), _rounded(y), int(category[i]), bool(event[i]), int(where[i, 0]), int(where[i, 1])]
            for (x, y), i in zip(projected.points.tolist(), chosen.tolist(), strict=True)
        ],
        "neighbours": _neighbours(points[chosen], category[chosen], event[chosen], len(embedded.categories)),
    }


def _neighbours(points: np.ndarray, category: np.ndarray, event: np.ndarray, n: int) -> list[list[float | None]]:
    """By category, with videos without an event last: what the nearest neighbours of its segments are, in full space.

    A row has the number of segments, that of event segments, the share whose nearest neighbour has the same category,
    and the share whose nearest neighbour is of the same kind, event or background.
    """
    square = (points.astype(np.float64) ** 2).sum(axis=1)
    distance = square[:, None] + square[None] - 2 * points.astype(np.float64) @ points.T.astype(np.float64)
    np.fill_diagonal(distance, np.inf)
    nearest = distance.argmin(axis=1)
    same, kind = category == category[nearest], event == event[nearest]
    rows = []
    for k in range(n + 1):
        inside = category == k
        count = int(inside.sum())
        rows.append([count, int((inside & event).sum()), *(_mean(part[inside]) for part in (same, kind))])
    return rows


def _reach(
    content: BankContent, points: np.ndarray, category: np.ndarray, event: np.ndarray
) -> list[list[float | None]]:
    """Mean distances by category.

    A row has those of event and of background segments to their prototype, and of event segments to the nearest other.
    """
    distance = content.distances(points)
    rows = []
    for k in range(len(content.prototypes)):
        own = distance[:, k]
        others = np.delete(distance, k, axis=1)
        nearest = np.fmin.reduce(others, axis=1) if others.shape[1] else np.full(len(own), np.nan)
        inside = category == k
        rows.append([_mean(own[inside & event]), _mean(own[inside & ~event]), _mean(nearest[inside & event])])
    return rows


def _xray_facts(run: LoadedRun, embedded: EmbeddedSplit, baseline: Baseline) -> dict[str, Any] | None:
    """Shares of sound and sight in the relevance (v t), as whole percent; None for videos of different length."""
    import torch

    from avelzoo.localization.xray import xray

    if len(set(embedded.lengths.tolist())) > 1:
        return None
    split = run.composition.recipe.dataset.open("full").split("test")
    model = run.model.eval()
    with torch.no_grad():
        view = model.view()
    audio, visual = [], []
    for start in range(0, len(split), 64):
        batch, _ = split.fetch(np.arange(start, min(start + 64, len(split))))
        some = next(model.parameters(), None)
        heard, seen = (x if some is None else x.to(some.dtype) for x in (batch.audio, batch.visual))
        shares = xray(model, view, heard, seen, baseline)
        audio.append(shares.audio)
        visual.append(shares.visual)
    return {
        "baseline": baseline.words,
        "audio": np.rint(100 * np.concatenate(audio)).astype(int).tolist(),
        "visual": np.rint(100 * np.concatenate(visual)).astype(int).tolist(),
    }


def _mean(values: np.ndarray) -> float | None:
    return _rounded(float(values.mean())) if values.size and np.isfinite(values).all() else None


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


def _plain(matrix: np.ndarray) -> Sequence[Sequence[float | None]]:
    return [[None if math.isnan(v) else _rounded(v) for v in row] for row in matrix.tolist()]
