"""Tiny random features and labels for tests of components."""

from __future__ import annotations

import torch

from avelzoo.records import Batch, FeatureSpec, Targets

SPEC = FeatureSpec(segments=6, audio_dim=5, grid=(2, 3), visual_dim=7, categories=("bark", "bell", "horn", "cat"))


def make_batch(b: int = 4, t: int = 6, spec: FeatureSpec = SPEC, seed: int = 0, first_row: int = 0) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    return Batch(
        audio=torch.rand(b, t, spec.audio_dim, generator=generator),
        visual=torch.rand(b, t, *spec.grid, spec.visual_dim, generator=generator),
        rows=torch.arange(first_row, first_row + b),
    )


def make_targets(
    b: int = 4, t: int = 6, n: int = SPEC.n, *, weak: bool = False, seed: int = 0, negatives: int = 0
) -> Targets:
    generator = torch.Generator().manual_seed(seed)
    event = torch.randint(n, (b,), generator=generator)
    on = torch.rand(b, t, generator=generator) < 0.6
    on[:, 0] = True
    if negatives:
        event[-negatives:] = n
        on[-negatives:] = False
    segments = event.unsqueeze(1).expand(b, t).masked_fill(~on, n)
    return Targets(event=event, presence=(event != n).float(), segments=None if weak else segments, background=n)
