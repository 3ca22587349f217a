"""The paper's system on random features of AVE's sizes, ready for single training steps."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import replace

import torch

from avelzoo.builtin.encoders.configs import STFusionConfig
from avelzoo.builtin.memory.bank import Bank
from avelzoo.builtin.memory.configs import JsdBankConfig
from avelzoo.composition.building import build
from avelzoo.plugin.default import default_host
from avelzoo.records import Batch, FeatureSpec, Targets


class Trained:
    """Model, optimizer and one batch on a device, in bf16-mixed.

    Args:
        device: ``cuda`` or ``cpu``.
        tiny: sizes of a trial.
    """

    def __init__(self, device: str, *, tiny: bool) -> None:
        self.device, self.tiny = device, tiny
        self.videos = 4 if tiny else 128
        recipe = default_host().registry.get("recipe", "ead-b").target("full")
        if tiny:
            small = STFusionConfig(width=16, heads=2, feedforward=16)
            recipe = replace(recipe, encoder=small, memory=JsdBankConfig(size=2))
        self.spec = spec(tiny=tiny)
        torch.manual_seed(0)
        self.model = build(recipe, self.spec).to(device).train()
        self.optimizer = recipe.optimizer.build(self.model.parameters())
        self.load(0)

    def load(self, seed: int) -> None:
        """Take a batch to the device."""
        batch, targets = self.made(seed)
        self.batch, self.targets = batch.to(self.device), targets.to(self.device)

    def made(self, seed: int) -> tuple[Batch, Targets]:
        """A batch on the host; each has videos of its own."""
        generator = torch.Generator().manual_seed(seed)
        b, t, n = self.videos, self.spec.segments, self.spec.n
        rows = torch.arange(b) + seed * b
        event = rows % n
        on = torch.rand(b, t, generator=generator) < 0.8
        batch = Batch(
            audio=torch.randn(b, t, self.spec.audio_dim, generator=generator).relu_(),
            visual=torch.randn(b, t, *self.spec.grid, self.spec.visual_dim, generator=generator).relu_(),
            rows=rows,
        )
        segments = event.unsqueeze(1).expand(b, t).masked_fill(~on, n)
        return batch, Targets(event=event, presence=torch.ones(b), segments=segments, background=n)

    def fill(self) -> None:
        """Steps until every slot of the bank is filled and the host knows it."""
        for seed in range(1, 9):
            self.load(seed)
            self.step(optimize=True)
        assert isinstance(self.model.memory, Bank)
        if not bool(self.model.memory.slots.filled.all()):
            raise RuntimeError("the bank is not full after eight batches")

    def step(self, *, optimize: bool) -> None:
        """A training step, to the gradients or to the new weights."""
        self.optimizer.zero_grad()
        with torch.autocast(self.device, torch.bfloat16):
            loss = self.model(self.batch, self.targets).loss
        loss.backward()
        if optimize:
            self.optimizer.step()

    def seconds(self, action: Callable[[], object], repeats: int = 5) -> float:
        """Median time of an action, after one that does not count."""
        times = []
        for _ in range(2 if self.tiny else repeats + 1):
            self.wait()
            began = time.perf_counter()
            action()
            self.wait()
            times.append(time.perf_counter() - began)
        return statistics.median(times[1:])

    def wait(self) -> None:
        """Wait until the device has computed everything."""
        if self.device == "cuda":
            torch.cuda.synchronize()


def spec(*, tiny: bool) -> FeatureSpec:
    """AVE's sizes, or those of a trial."""
    return FeatureSpec(
        segments=10,
        audio_dim=8 if tiny else 128,
        grid=(2, 2) if tiny else (7, 7),
        visual_dim=16 if tiny else 512,
        categories=tuple(f"category {number}" for number in range(3 if tiny else 28)),
    )
