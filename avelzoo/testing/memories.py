"""Promises of memories."""

from __future__ import annotations

import torch

from avelzoo.components import MemoryConfig
from avelzoo.testing.bench import bench_for


def check_empty_is_finite(config: MemoryConfig) -> None:
    """A memory that has seen nothing reads as finite values of the right shape."""
    for bench in bench_for(config):
        model = bench.model().eval()
        view = model.view()
        if view is None:
            assert "memory" not in config.provides, "it provides 'memory' but shows none"
            continue
        n, _, width = view.items.shape
        assert (n, width) == (bench.spec.n, model.encoder.widths.fused), f"items are {tuple(view.items.shape)}"
        assert view.filled.shape == view.items.shape[:2], f"filled is {tuple(view.filled.shape)}"
        assert view.filled.dtype == torch.bool, "filled is not boolean"
        assert torch.isfinite(view.items).all(), "an empty memory has items that are not finite"
        assert torch.isfinite(view.prototypes()).all(), "an empty memory has prototypes that are not finite"


def check_never_over_capacity(config: MemoryConfig) -> None:
    """Sizes stay as they were however much it sees, and stored tensors carry no graph."""
    for bench in bench_for(config):
        model = bench.model().train()
        before = {key: value.shape for key, value in model.memory.state_dict().items()}
        for seed in range(6):
            model(bench.batch(seed=seed), bench.targets(seed=seed))
        after = {key: value.shape for key, value in model.memory.state_dict().items()}
        assert before == after, "what is stored changed its size"
        attached = [name for name, buffer in model.memory.named_buffers() if buffer.requires_grad]
        assert not attached, f"buffers carry gradient: {', '.join(attached)}"


def check_observes_without_events(config: MemoryConfig) -> None:
    """Videos without an event are taken without a fault, and reading stays finite."""
    for bench in bench_for(config):
        model = bench.model().train()
        model(bench.batch(2), bench.targets(2, negatives=2))
        view = model.view()
        assert view is None or torch.isfinite(view.items).all(), "reading is not finite after a background batch"


def check_logits_match_what_it_provides(config: MemoryConfig) -> None:
    """A memory that provides 'unimodal' returns (b t n) logits with gradient to all its classifiers."""
    for bench in bench_for(config):
        model = bench.model().train()
        batch, targets = bench.batch(), bench.targets()
        unimodal = model.memory.observe(model.encoder(batch.audio, batch.visual), batch, targets)
        if unimodal is None:
            assert "unimodal" not in config.provides, "it provides 'unimodal' but returns none"
            continue
        want = (3, bench.spec.segments, bench.spec.n)
        for name, logits in vars(unimodal).items():
            assert tuple(logits.shape) == want, f"{name} is {tuple(logits.shape)}, not {want}"
        torch.stack([logits.square().sum() for logits in vars(unimodal).values()]).sum().backward()  # type: ignore[no-untyped-call]
        idle = [name for name, p in model.memory.named_parameters() if p.grad is None]
        assert not idle, f"parameters without a gradient: {', '.join(idle)}"
