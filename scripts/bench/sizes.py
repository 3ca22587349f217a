"""What is measured: the paper's system, its sizes, and random features of these sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from avelzoo import Batch, FeatureSpec, Recipe, Targets, recipes
from avelzoo.builtin.encoders.configs import STFusionConfig
from avelzoo.builtin.memory.configs import JsdBankConfig
from avelzoo.contracts import Split

OLD = 1 << 50
"""Keys from here on belong to segments that no batch holds."""


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Sizes of `ead-b` and its features; the defaults are the paper's on AVE.

    Attributes:
        batch: b.
        bank: l, slots per category.
        segments: t.
        grid: h and w.
        audio: a.
        visual: v.
        categories: n.
        width: d.
        feedforward: hidden channels.
        dropout: whether there is any.
    """

    batch: int = 128
    bank: int = 16
    segments: int = 10
    grid: int = 7
    audio: int = 128
    visual: int = 512
    categories: int = 28
    width: int = 256
    feedforward: int = 1024
    dropout: bool = True

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)

    @property
    def spec(self) -> FeatureSpec:
        """The features' sizes."""
        return FeatureSpec(
            segments=self.segments,
            audio_dim=self.audio,
            grid=(self.grid, self.grid),
            visual_dim=self.visual,
            categories=tuple(f"event {k}" for k in range(self.categories)),
        )

    def recipe(self, precision: str = "32") -> Recipe:
        """`ead-b` of these sizes."""
        recipe = recipes["ead-b"]("full")
        assert isinstance(recipe.encoder, STFusionConfig) and isinstance(recipe.memory, JsdBankConfig)
        encoder = replace(recipe.encoder, width=self.width, feedforward=self.feedforward)
        head = recipe.head
        if not self.dropout:
            encoder = replace(encoder, dropout=0.0, input_dropout=0.0)
            head = replace(head, dropout=0.0)  # type: ignore[call-arg]
        return replace(
            recipe,
            encoder=encoder,
            head=head,
            memory=replace(recipe.memory, size=self.bank),
            train=replace(recipe.train, batch_size=self.batch),
            compute=replace(recipe.compute, eval_batch_size=self.batch, precision=precision),  # type: ignore[arg-type]
        )


TINY = Sizes(batch=3, bank=2, segments=4, grid=2, audio=6, visual=8, categories=3, width=16, feedforward=32)


class Videos(Split):
    """Videos in memory whose features tell their category faintly, so that there is something to learn.

    Args:
        sizes: of the features.
        count: videos.
        seed: of their features; the categories' patterns are always the same.
    """

    name = "train"

    def __init__(self, sizes: Sizes, count: int, seed: int = 0) -> None:
        draw = torch.Generator().manual_seed(seed)
        spec, s = sizes.spec, sizes
        self.video_ids = [f"video {i}" for i in range(count)]
        self.spec = spec
        self.event = torch.randint(s.categories, (count,), generator=draw)
        on = torch.rand(count, s.segments, generator=draw) < 0.8
        on[:, 0] = True
        self.segments = self.event.unsqueeze(1).expand(count, s.segments).masked_fill(~on, s.categories)
        fixed = torch.Generator().manual_seed(2**20)
        heard, seen = (torch.randn(s.categories + 1, c, generator=fixed) for c in (s.audio, s.visual))
        self.audio = torch.randn(count, s.segments, s.audio, generator=draw).add_(heard[self.segments]).relu_()
        self.visual = torch.randn(count, s.segments, s.grid, s.grid, s.visual, generator=draw)
        self.visual.add_(seen[self.segments].mul_(0.3)[:, :, None, None]).relu_()

    def __len__(self) -> int:
        return len(self.video_ids)

    def fetch(self, indices: Sequence[int] | np.ndarray) -> tuple[Batch, Targets]:
        """Without copies where the positions follow each other."""
        start = int(indices[0])
        rows = torch.as_tensor(np.asarray(indices))
        part: Any = slice(start, start + len(indices)) if bool((rows.diff() == 1).all()) else rows
        batch = Batch(audio=self.audio[part], visual=self.visual[part], rows=rows)
        presence = torch.ones(len(indices))
        n = self.spec.n
        return batch, Targets(event=self.event[part], presence=presence, segments=self.segments[part], background=n)

    def labels(self) -> np.ndarray:
        """Ids."""
        found: np.ndarray = self.segments.numpy()
        return found

    def events(self) -> np.ndarray:
        """Categories."""
        found: np.ndarray = self.event.numpy()
        return found


def full_bank(sizes: Sizes, seed: int = 7) -> dict[str, Tensor]:
    """The content of a bank that has been full for a while: scores are high, so that few segments still enter."""
    draw = torch.Generator().manual_seed(seed)
    n, slots, grid = sizes.categories, sizes.bank, sizes.grid
    shape = (n, slots)
    return {
        "audio": torch.randn(*shape, sizes.audio, generator=draw).relu_(),
        "visual": torch.randn(*shape, grid, grid, sizes.visual, generator=draw).relu_(),
        "score": torch.rand(shape, generator=draw).mul_(0.1).add_(1.89).sort(dim=1, descending=True).values,
        "key": OLD + torch.arange(n * slots).view(shape),
        "relevance": torch.ones(shape),
        "filled": torch.ones(shape, dtype=torch.bool),
    }
