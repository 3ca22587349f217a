"""Checks for memories."""

from __future__ import annotations

from dataclasses import replace

import torch

from avelzoo.channels import AUDIO_LOGITS, MEMORY, VISUAL_LOGITS
from avelzoo.components import MemoryConfig
from avelzoo.testing.harness import harnesses_for


def check_empty_is_finite(config: MemoryConfig) -> None:
    """An empty memory returns finite values of the correct shape."""
    for harness in harnesses_for(config):
        model = harness.model().eval()
        view = model.view()
        if view is None:
            assert MEMORY not in config.gives(harness.recipe.supervision), "it gives 'memory' but shows none"
            continue
        n, _, width = view.items.shape
        assert (n, width) == (harness.spec.n, model.encoder.widths.fused), f"items are {tuple(view.items.shape)}"
        assert view.filled.shape == view.items.shape[:2], f"filled is {tuple(view.filled.shape)}"
        assert view.filled.dtype == torch.bool, "filled is not boolean"
        assert torch.isfinite(view.items).all(), "an empty memory has items that are not finite"
        assert torch.isfinite(view.prototypes()).all(), "an empty memory has prototypes that are not finite"


def check_never_over_capacity(config: MemoryConfig) -> None:
    """Sizes never change, and stored tensors have no graph."""
    for harness in harnesses_for(config):
        model = harness.model().train()
        before = {key: value.shape for key, value in model.memory.state_dict().items()}
        for seed in range(6):
            model(harness.batch(seed=seed), harness.targets(seed=seed))
        after = {key: value.shape for key, value in model.memory.state_dict().items()}
        assert before == after, "what is stored changed its size"
        attached = [name for name, buffer in model.memory.named_buffers() if buffer.requires_grad]
        assert not attached, f"buffers carry gradient: {', '.join(attached)}"


def check_observes_without_events(config: MemoryConfig) -> None:
    """Videos without an event are accepted, and the memory still returns finite values."""
    for harness in harnesses_for(config):
        model = harness.model().train()
        model(harness.batch(2), harness.targets(2, negatives=2))
        view = model.view()
        assert view is None or torch.isfinite(view.items).all(), "reading is not finite after a background batch"


def check_logits_match_what_it_gives(config: MemoryConfig) -> None:
    """Uni-modal logits have the shape (b t n) and gradients to all classifiers of the memory."""
    for harness in harnesses_for(config):
        model = harness.model().train()
        batch, targets = harness.batch(), harness.targets()
        given = model.memory.observe(model.encoder(batch.audio, batch.visual), batch, targets) or {}
        logits = {channel: given[channel] for channel in (AUDIO_LOGITS, VISUAL_LOGITS) if channel in given}
        if not logits:
            assert AUDIO_LOGITS not in config.gives(harness.recipe.supervision), (
                "it gives 'audio_logits' but returns none"
            )
            continue
        want = (3, harness.spec.segments, harness.spec.n)
        for name, value in logits.items():
            assert tuple(value.shape) == want, f"{name} is {tuple(value.shape)}, not {want}"
        torch.stack([value.square().sum() for value in logits.values()]).sum().backward()  # type: ignore[no-untyped-call]
        idle = [name for name, p in model.memory.named_parameters() if p.grad is None]
        assert not idle, f"parameters without a gradient: {', '.join(idle)}"


def check_reads_only_what_it_wants(config: MemoryConfig) -> None:
    """Features of videos that `wants_features` excludes do not change what is stored, nor does the call."""
    for harness in harnesses_for(config):
        model, other = harness.model().train(), harness.model().train()
        other.load_state_dict(model.state_dict())
        for seed in range(4):
            batch, targets = harness.batch(4, seed=seed), harness.targets(4, seed=seed, negatives=1)
            encoded = model.encoder.eval()(batch.audio, batch.visual)
            with torch.random.fork_rng(devices=()):
                torch.manual_seed(seed)
                model.memory.observe(encoded, batch, targets)
            empty = replace(batch, audio=torch.zeros_like(batch.audio), visual=torch.zeros_like(batch.visual))
            with torch.random.fork_rng(devices=()):
                torch.manual_seed(seed)
                unwanted = ~other.memory.wants_features(encoded, empty, targets)
                audio, visual = batch.audio.clone(), batch.visual.clone()
                audio[unwanted], visual[unwanted] = 0.0, 0.0
                other.memory.observe(encoded, replace(batch, audio=audio, visual=visual), targets)
            stored = other.memory.state_dict()
            differ = [name for name, value in model.memory.state_dict().items() if not value.equal(stored[name])]
            assert not differ, f"features it did not want change what is stored: {', '.join(differ)}"
