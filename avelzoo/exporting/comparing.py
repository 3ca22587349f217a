"""Comparison of an exported model with the model it was made from, on random features."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from avelzoo.errors import RunError
from avelzoo.exporting.inference import OUTPUTS, Inference
from avelzoo.exporting.libraries import library
from avelzoo.records import FeatureSpec

TOLERANCE = 1e-4
"""Largest difference of scores: relative for scores above 1, absolute below."""
FLIPS = 0.01
"""Largest share of decisions that may differ: scores next to a threshold decide differently after rounding."""
BATCHES = (1, 2, 5)
"""Numbers of videos that are compared."""


@dataclass(frozen=True)
class Agreement:
    """How closely the exported model follows the original.

    Attributes:
        batches: numbers of videos that were compared.
        largest: largest difference of category scores and relevance, relative above 1 and absolute below.
        flipped: share of decisions that differ, because rounding moved scores across a threshold.
    """

    batches: tuple[int, ...]
    largest: float
    flipped: float


def compare(content: bytes, inference: Inference, spec: FeatureSpec, segments: int) -> Agreement:
    """Run both on random features of several batch sizes, and on zeros.

    Raises:
        RunError: they differ by more than ``TOLERANCE``, or decide differently in more than ``FLIPS`` of all cases.
    """
    session = library("onnxruntime").InferenceSession(content, providers=["CPUExecutionProvider"])
    largest, differing, decisions = 0.0, 0, 0
    for seed, b in enumerate((*BATCHES, 0)):
        audio, visual = random_features(spec, max(b, 1), segments, seed)
        if b == 0:
            audio, visual = torch.zeros_like(audio), torch.zeros_like(visual)
        with torch.no_grad():
            own = dict(zip(OUTPUTS, (value.numpy() for value in inference(audio, visual)), strict=True))
        found = session.run(list(OUTPUTS), {"audio": audio.numpy(), "visual": visual.numpy()})
        theirs = dict(zip(OUTPUTS, found, strict=True))
        for name in ("category_scores", "relevance"):
            gap = np.abs(theirs[name] - own[name]) / np.maximum(1.0, np.abs(own[name]))
            largest = max(largest, float(gap.max()))
        changed, all_of_them = _differing(own, theirs)
        differing, decisions = differing + changed, decisions + all_of_them
    flipped = differing / decisions
    if not largest <= TOLERANCE or flipped > FLIPS:  # NaN is not smaller than anything
        raise RunError(
            "the exported model differs from the run's model; no file was written",
            found=f"scores differ by {largest:.1e}, {100 * flipped:.1f} % of decisions, on random features",
            expected=f"at most {TOLERANCE:g} and {100 * FLIPS:g} %",
            fix="report this with the name of the recipe",
        )
    return Agreement(BATCHES, largest, flipped)


def random_features(spec: FeatureSpec, b: int, segments: int, seed: int) -> tuple[Tensor, Tensor]:
    """Non-negative features of b videos: (b t a), (b t h w v)."""
    generator = torch.Generator().manual_seed(seed)
    return (
        torch.rand(b, segments, spec.audio_dim, generator=generator),
        torch.rand(b, segments, *spec.grid, spec.visual_dim, generator=generator),
    )


def _differing(own: dict[str, np.ndarray], theirs: dict[str, np.ndarray]) -> tuple[int, int]:
    """Different and all decisions: categories of videos and segments."""
    names = ("segments", "category")
    return sum(int((own[name] != theirs[name]).sum()) for name in names), sum(own[name].size for name in names)
